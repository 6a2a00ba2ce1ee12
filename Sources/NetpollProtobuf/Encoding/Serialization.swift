/// An encoding that was measured and waits to be written.
///
/// Lent by ``Message/withSerialization(partial:options:_:)``.
public struct Serialization: ~Copyable {
    private enum Content {
        case image(UnsafeRawPointer)
        case bytes(UnsafeRawBufferPointer)
    }
    private let content: Content
    /// The number of bytes that ``write(to:)`` writes.
    public let byteCount: Int

    @usableFromInline init(
        _ image: UnsafeRawPointer,
        _ context: UnsafeMutablePointer<EncodingContext>
    ) throws(ProtobufError) {
        if let bytes = MessageImage.packToScratch(image, context) {
            content = .bytes(bytes)
            byteCount = bytes.count
        } else {
            content = .image(image)
            byteCount = try MessageImage.packedByteCount(image)
        }
    }

    /// Writes exactly ``byteCount`` bytes.
    public func write(to target: UnsafeMutableRawPointer) {
        switch content {
        case .image(let image): MessageImage.pack(image, to: target)
        case .bytes(let bytes):
            if let base = bytes.baseAddress { target.copyMemory(from: base, byteCount: byteCount) }
        }
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
    @inlinable public func withSerialization<R>(
        partial: Bool = false,
        options: BinaryEncodingOptions = BinaryEncodingOptions(),
        _ body: (borrowing Serialization) -> R
    ) throws(ProtobufError) -> R {
        var result: R?
        try withImage(partial: partial, options: options) {
            (image, context) throws(ProtobufError) in
            result = body(try Serialization(image, context))
        }
        // Without an error the closure has run.
        guard let result else { preconditionFailure("an encoding was not lent") }
        return result
    }

    /// Lends the message's C image.
    @inlinable
    func withImage(
        partial: Bool,
        options: BinaryEncodingOptions,
        collectingExtensions collects: Bool = false,
        _ body: (UnsafeRawPointer, UnsafeMutablePointer<EncodingContext>) throws(ProtobufError) ->
            Void
    ) throws(ProtobufError) {
        let schema = Self.messageSchema
        try EncodingContext.run(
            schema,
            isPartial: partial,
            options,
            collectsExtensions: collects
        ) { (context) throws(ProtobufError) in
            let image = try makeImage(schema, context)
            try body(UnsafeRawPointer(image), context)
        }
        // The image points into the message.
        withExtendedLifetime(self) {}
    }
}
