internal import CProtobufC

extension Message {
    init(image: UnsafeRawPointer, isPartial: Bool) throws(ProtobufError) {
        self.init()
        let schema = Self.messageSchema
        let decoder = FieldDecoder(image, schema, isPartial: isPartial)
        try decodeFields(from: decoder)
        let unknown = decoder.unknownFieldBytes(slot: schema.fields.count)
        if !unknown.isEmpty { unknownFields.bytes = unknown }
    }

    /// Decodes into a message that was just created.
    mutating func decode(
        _ bytes: UnsafeRawBufferPointer,
        partial: Bool,
        options: DecodingOptions
    ) throws(ProtobufError) {
        guard bytes.count <= Int(Int32.max) else {
            throw ProtobufError(
                .tooLarge,
                "\(Self.protoMessageName): \(bytes.count) bytes exceed 2 GiB"
            )
        }
        let table = Self.messageSchema.table
        let arena = Arena(budget: options.memoryLimit(for: bytes.count))
        if try WireScanner.isCanonical(bytes, table, depth: options.nestingLimit) {
            self = try Self.unpack(bytes, table, arena, partial)
            return
        }
        let canonical = try WireNormalizer.normalize([bytes], table, depth: options.nestingLimit)
        self = try canonical.withRawBytes { (bytes) throws(ProtobufError) in
            try Self.unpack(bytes, table, arena, partial)
        }
    }

    private static func unpack(
        _ bytes: UnsafeRawBufferPointer,
        _ table: MessageTable,
        _ arena: borrowing Arena,
        _ partial: Bool
    ) throws(ProtobufError) -> Self {
        var allocator = arena.allocator
        let image = protobuf_c_message_unpack(
            table.descriptor,
            &allocator,
            bytes.count,
            bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        )
        guard let image else {
            // The bytes were checked before, so only memory can have been refused.
            throw ProtobufError(
                .tooLarge,
                "\(table.name): decoding needs more memory than its limit"
            )
        }
        return try withExtendedLifetime(arena) { (_) throws(ProtobufError) in
            try Self(image: UnsafeRawPointer(image), isPartial: partial)
        }
    }
}
