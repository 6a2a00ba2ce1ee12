/// Fields of a message that its type does not know, in wire form and in the order they arrived.
public struct UnknownFields: Sendable, Hashable {
    /// The raw bytes: tags and values, as on the wire.
    public var bytes: [UInt8]

    /// Creates an empty collection.
    @inlinable public init() { bytes = [] }

    /// Whether there are none.
    @inlinable public var isEmpty: Bool { bytes.isEmpty }
}
