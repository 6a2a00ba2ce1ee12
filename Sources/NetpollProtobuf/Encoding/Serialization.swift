/// An encoding that was measured and waits to be written.
///
/// Lent by ``Message/withSerialization(partial:options:_:)``.
public struct Serialization: ~Copyable {
    private let image: UnsafeRawPointer
    /// The number of bytes that ``write(to:)`` writes.
    public let byteCount: Int

    init(_ image: UnsafeRawPointer, byteCount: Int) {
        self.image = image
        self.byteCount = byteCount
    }

    /// Writes exactly ``byteCount`` bytes.
    public func write(to target: UnsafeMutableRawPointer) {
        MessageImage.pack(image, to: target)
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
        try withImage(partial: partial, options: options) { (image, _) throws(ProtobufError) in
            body(Serialization(image, byteCount: try MessageImage.packedByteCount(image)))
        }
    }

    /// Lends the message's C image.
    func withImage<R>(
        partial: Bool,
        options: EncodingOptions,
        collectingExtensions collects: Bool = false,
        _ body: (UnsafeRawPointer, EncodingContext) throws(ProtobufError) -> R
    ) throws(ProtobufError) -> R {
        let arena = Arena(budget: .max)
        var context = EncodingContext(
            arena: arena.state,
            isPartial: partial,
            isDeterministic: options.isDeterministic,
            depth: options.nestingLimit,
            metExtensions: collects ? [] : nil
        )
        do throws(ProtobufError) {
            let image = try withUnsafeMutablePointer(to: &context) {
                (context) throws(ProtobufError) in
                try FieldEncoder.makeImage(self, context)
            }
            let result = try body(image, context)
            return withExtendedLifetime(arena) { result }
        } catch {
            throw error.inside(message: Self.protoMessageName)
        }
    }
}
