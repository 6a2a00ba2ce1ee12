/// What one decoding shares over all the messages in it.
struct DecodingContext {
    let arena: UnsafeMutablePointer<Arena.State>
    let isPartial: Bool
    let extensions: (any ExtensionMap)?
    /// How many levels of messages may be in the current one.
    var depth: Int
}

extension Message {
    /// Decodes a message that is the outermost one.
    static func decode(
        _ bytes: UnsafeRawBufferPointer,
        extensions: (any ExtensionMap)?,
        partial: Bool,
        options: DecodingOptions
    ) throws(ProtobufError) -> Self {
        do throws(ProtobufError) {
            guard bytes.count <= Int(Int32.max) else { throw ProtobufError.tooLarge(bytes.count) }
            let arena = Arena(budget: options.memoryLimit(for: bytes.count))
            var context = DecodingContext(
                arena: arena.state,
                isPartial: partial,
                extensions: extensions,
                depth: options.nestingLimit
            )
            let message = try withUnsafeMutablePointer(to: &context) {
                (context) throws(ProtobufError) in
                try Self(decoding: bytes, context)
            }
            return withExtendedLifetime(arena) { message }
        } catch {
            throw error.inside(message: protoMessageName)
        }
    }

    /// Decodes a message by itself or in another one, whose level was counted.
    init(decoding bytes: UnsafeRawBufferPointer, _ context: UnsafeMutablePointer<DecodingContext>)
        throws(ProtobufError)
    {
        self.init()
        let schema = Self.messageSchema
        if try WireScanner.isCanonical(bytes, schema.table) {
            try decodeKnown(bytes, schema, context)
            return
        }
        let (known, unknown) = try WireNormalizer.normalize(
            bytes,
            schema,
            depth: context.pointee.depth
        )
        try known.withRawBytes { (bytes) throws(ProtobufError) in
            try decodeKnown(bytes, schema, context)
        }
        if !unknown.isEmpty {
            try decodeUnknownFields(UnknownFieldDecoder(bytes: unknown, context: context))
        }
    }

    @inline(__always)
    private mutating func decodeKnown(
        _ bytes: UnsafeRawBufferPointer,
        _ schema: MessageSchema,
        _ context: UnsafeMutablePointer<DecodingContext>
    ) throws(ProtobufError) {
        let mark = Arena.mark(context.pointee.arena)
        let image = try MessageImage.unpack(bytes, schema.table, context.pointee.arena)
        try decodeFields(from: FieldDecoder(image, schema, context))
        Arena.rewind(context.pointee.arena, to: mark)
    }
}
