internal import CProtobufC

/// An encoding that was measured and waits to be written.
///
/// Lent by ``Message/withSerialization(partial:_:)``.
public struct Serialization: ~Copyable {
    private let image: UnsafePointer<ProtobufCMessage>
    /// The number of bytes that ``write(to:)`` writes.
    public let byteCount: Int

    init(_ image: UnsafePointer<ProtobufCMessage>, byteCount: Int) {
        self.image = image
        self.byteCount = byteCount
    }

    /// Writes exactly ``byteCount`` bytes.
    public func write(to target: UnsafeMutableRawPointer) {
        protobuf_c_message_pack(image, target.assumingMemoryBound(to: UInt8.self))
    }
}

extension Message {
    /// Encodes the message once and lends the result, so that it can be written straight to where
    /// it belongs when its size is known.
    ///
    /// - Parameters:
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - options: How the message is written.
    ///   - body: Gets the encoding; it must not escape.
    /// - Returns: What `body` returns.
    /// - Throws: ``ProtobufError`` when the message cannot be encoded.
    public func withSerialization<R>(
        partial: Bool = false,
        options: EncodingOptions = EncodingOptions(),
        _ body: (borrowing Serialization) -> R
    ) throws(ProtobufError) -> R {
        let arena = Arena(budget: .max)
        let image = try FieldEncoder.makeImage(
            self,
            arena.state,
            partial: partial,
            deterministic: options.isDeterministic
        )
        let message = UnsafePointer(image.assumingMemoryBound(to: ProtobufCMessage.self))
        let byteCount = protobuf_c_message_get_packed_size(message)
        guard byteCount <= Int(Int32.max) else {
            throw FieldEncoder.tooLarge(Self.protoMessageName, byteCount)
        }
        return withExtendedLifetime(arena) { body(Serialization(message, byteCount: byteCount)) }
    }
}
