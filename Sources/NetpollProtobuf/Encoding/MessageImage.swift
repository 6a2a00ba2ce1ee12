internal import CProtobufC

/// Calls libprotobuf-c.
@usableFromInline
enum MessageImage {
    /// The image of a message that was checked before.
    @inline(__always)
    static func unpack(
        _ bytes: UnsafeRawBufferPointer,
        _ table: UnsafePointer<MessageTable>,
        _ arena: UnsafeMutablePointer<Arena.State>
    ) throws(ProtobufError) -> UnsafeRawPointer {
        var allocator = Arena.allocator(arena)
        let image = protobuf_c_message_unpack(
            table.pointee.decoding,
            &allocator,
            bytes.count,
            bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        )
        // The bytes are valid, so only memory can have been refused.
        guard let image else { throw .memoryLimit }
        return UnsafeRawPointer(image)
    }

    static func packedByteCount(_ image: UnsafeRawPointer) throws(ProtobufError) -> Int {
        let byteCount = protobuf_c_message_get_packed_size(
            image.assumingMemoryBound(to: ProtobufCMessage.self)
        )
        // Lengths are cut to 32 bits inside libprotobuf-c.
        guard byteCount <= Int(Int32.max) else { throw .tooLarge(byteCount) }
        return byteCount
    }

    static func pack(_ image: UnsafeRawPointer, to target: UnsafeMutableRawPointer) {
        protobuf_c_message_pack(
            image.assumingMemoryBound(to: ProtobufCMessage.self),
            target.assumingMemoryBound(to: UInt8.self)
        )
    }

    @usableFromInline static func packed(_ image: UnsafeRawPointer) throws(ProtobufError) -> [UInt8]
    {
        let byteCount = try packedByteCount(image)
        return [UInt8](unsafeUninitializedCapacity: byteCount) { target, count in
            if let base = target.baseAddress { pack(image, to: base) }
            count = byteCount
        }
    }

    /// Packs a small message into scratch memory, which takes less time than measuring it first;
    /// `nil` for a large one.
    static func packSmall(
        _ image: UnsafeRawPointer,
        _ context: UnsafeMutablePointer<EncodingContext>
    ) -> UnsafeRawBufferPointer? {
        let bound = context.pointee.byteCountBound
        guard bound <= smallByteCount, let scratch = Arena.allocate(context.pointee.arena, bound)
        else { return nil }
        let byteCount = protobuf_c_message_pack(
            image.assumingMemoryBound(to: ProtobufCMessage.self),
            scratch.assumingMemoryBound(to: UInt8.self)
        )
        precondition(byteCount <= bound, "a message took more bytes than its bound")
        return UnsafeRawBufferPointer(start: scratch, count: byteCount)
    }

    private static let smallByteCount = 16 << 10

    @usableFromInline static func packed(
        _ image: UnsafeRawPointer,
        _ context: UnsafeMutablePointer<EncodingContext>
    ) throws(ProtobufError) -> [UInt8] {
        guard let bytes = packSmall(image, context) else { return try packed(image) }
        // The one way to make an array that looks up no type at run time.
        return Array(bytes)
    }
}
