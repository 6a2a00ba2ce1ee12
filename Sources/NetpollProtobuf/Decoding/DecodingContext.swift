/// What one decoding shares over all the messages in it.
@usableFromInline
struct DecodingContext {
    @usableFromInline let arena: UnsafeMutablePointer<Arena.State>
    let isPartial: Bool
    let extensions: (any ExtensionMap)?
    let discardsUnknownFields: Bool
    /// How many levels of messages may be in the current one.
    @usableFromInline var depth: Int

    /// Sets a decoding up and runs it.
    ///
    /// Not generic, and so the same code for all messages.
    @usableFromInline
    static func run(
        _ bytes: UnsafeRawBufferPointer,
        _ schema: MessageSchema,
        _ extensions: (any ExtensionMap)?,
        isPartial: Bool,
        _ options: BinaryDecodingOptions,
        _ body: (UnsafeMutablePointer<DecodingContext>) throws(ProtobufError) -> Void
    ) throws(ProtobufError) {
        do throws(ProtobufError) {
            guard bytes.count <= Int(Int32.max) else { throw ProtobufError.tooLarge(bytes.count) }
            let arena = Arena(budget: options.memoryLimit(for: bytes.count))
            var context = DecodingContext(
                arena: arena.state,
                isPartial: isPartial,
                extensions: extensions,
                discardsUnknownFields: options.discardUnknownFields,
                depth: options.messageDepthLimit
            )
            try withUnsafeMutablePointer(to: &context, body)
            withExtendedLifetime(arena) {}
        } catch {
            throw error.inside(message: schema.name)
        }
    }
}

/// A message that libprotobuf-c has decoded, but not those in it.
///
/// Its memory is that of the arena. Lists and maps take it back after each element, so that it
/// does not add up.
@usableFromInline
struct DecodedImage {
    @usableFromInline let slots: UnsafeRawPointer
    /// What the type does not know.
    @usableFromInline let unknown: UnsafeRawBufferPointer

    /// Decodes one message.
    @usableFromInline
    init(
        _ bytes: UnsafeRawBufferPointer,
        _ schema: MessageSchema,
        _ context: UnsafeMutablePointer<DecodingContext>
    ) throws(ProtobufError) {
        let arena = context.pointee.arena
        if let bulk = try WireScanner.scan(bytes, schema.table) {
            unknown = UnsafeRawBufferPointer(start: nil, count: 0)
            if bulk.isMost(of: bytes),
                let image = try Self.unpack(bytes, without: bulk, schema, arena)
            {
                slots = image + ImageLayout.headerByteCount
            } else {
                slots =
                    try MessageImage.unpack(bytes, schema.table, arena)
                    + ImageLayout.headerByteCount
            }
            return
        }
        let parts = try WireNormalizer.normalize(bytes, schema, depth: context.pointee.depth)
        unknown = try Self.keep(parts.unknown, arena)
        slots = try parts.known.withRawBytes { (bytes) throws(ProtobufError) in
            try MessageImage.unpack(bytes, schema.table, arena) + ImageLayout.headerByteCount
        }
    }

    /// The image of a message whose bulk is not copied; `nil` if that cannot be told apart.
    private static func unpack(
        _ bytes: UnsafeRawBufferPointer,
        without bulk: Bulk,
        _ schema: MessageSchema,
        _ arena: UnsafeMutablePointer<Arena.State>
    ) throws(ProtobufError) -> UnsafeRawPointer? {
        let number = UInt32(truncatingIfNeeded: bulk.number)
        guard let index = schema.table.pointee.entryIndex(number) else { return nil }
        guard let rest = bulk.rest(of: bytes, arena) else { throw .memoryLimit }
        let image = try MessageImage.unpack(rest, schema.table, arena)
        let slot = UnsafeMutableRawPointer(mutating: image) + ImageLayout.slotOffset(index)
        return bulk.fill(slot) ? image : nil
    }

    private static func keep(_ bytes: [UInt8], _ arena: UnsafeMutablePointer<Arena.State>)
        throws(ProtobufError) -> UnsafeRawBufferPointer
    {
        guard !bytes.isEmpty else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        guard let memory = Arena.allocate(arena, bytes.count) else { throw .memoryLimit }
        let copy = UnsafeMutableRawBufferPointer(start: memory, count: bytes.count)
        copy.copyBytes(from: bytes)
        return UnsafeRawBufferPointer(copy)
    }
}

extension Message {
    /// Decodes a message that is the outermost one.
    @inlinable
    static func decode(
        _ bytes: UnsafeRawBufferPointer,
        extensions: (any ExtensionMap)?,
        partial: Bool,
        options: BinaryDecodingOptions
    ) throws(ProtobufError) -> Self {
        var message = Self()
        let schema = messageSchema
        try DecodingContext.run(bytes, schema, extensions, isPartial: partial, options) {
            (context) throws(ProtobufError) in
            try message.decode(bytes, schema, context)
        }
        return message
    }

    /// Decodes into a new message, by itself or in another one, whose level was counted.
    @inlinable
    mutating func decode(
        _ bytes: UnsafeRawBufferPointer,
        _ schema: MessageSchema,
        _ context: UnsafeMutablePointer<DecodingContext>
    ) throws(ProtobufError) {
        let image = try DecodedImage(bytes, schema, context)
        try decodeFields(from: FieldDecoder(image, schema, context))
        if !image.unknown.isEmpty {
            try decodeUnknownFields(UnknownFieldDecoder(image, context))
        }
    }
}
