/// An optional message on the heap with value semantics, so that a message type can contain itself
/// and one that contains large messages is not large itself.
public struct Box<Value: Sendable & Hashable>: Sendable, Hashable {
    @usableFromInline final class Storage: Sendable {
        @usableFromInline let value: Value
        init(_ value: Value) { self.value = value }
    }
    @usableFromInline private(set) var storage: Storage?

    /// Creates an empty box.
    public init() {}

    /// What is in the box.
    public var value: Value? {
        get { storage?.value }
        set { storage = newValue.map(Storage.init) }
    }

    /// Whether two boxes hold equal values.
    public static func == (left: Box, right: Box) -> Bool {
        left.storage === right.storage || left.value == right.value
    }

    /// Hashes what is in the box.
    public func hash(into hasher: inout Hasher) { hasher.combine(value) }
}
