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

    /// Up to this, copying takes no time that counts.
    private static let smallByteCount = 16 << 10
    private static let scratchByteCount = 1 << 20

    /// Packs a message into scratch memory, if that and a copy take less time than measuring it
    /// first.
    static func packToScratch(
        _ image: UnsafeRawPointer,
        _ context: UnsafeMutablePointer<EncodingContext>
    ) -> UnsafeRawBufferPointer? {
        let bound = context.pointee.byteCountBound
        let limit = context.pointee.isMostlyContent ? smallByteCount : scratchByteCount
        guard bound <= limit, let scratch = Arena.allocate(context.pointee.arena, bound)
        else { return nil }
        let byteCount = pack(image, to: scratch, atMost: bound)
        return UnsafeRawBufferPointer(start: scratch, count: byteCount)
    }

    @inline(__always)
    private static func pack(
        _ image: UnsafeRawPointer,
        to target: UnsafeMutableRawPointer,
        atMost bound: Int
    ) -> Int {
        let byteCount = protobuf_c_message_pack(
            image.assumingMemoryBound(to: ProtobufCMessage.self),
            target.assumingMemoryBound(to: UInt8.self)
        )
        precondition(byteCount <= bound, "a message took more bytes than its bound")
        return byteCount
    }

    @usableFromInline static func packed(
        _ image: UnsafeRawPointer,
        _ context: UnsafeMutablePointer<EncodingContext>
    ) throws(ProtobufError) -> [UInt8] {
        let bound = context.pointee.byteCountBound
        if bound > smallByteCount, bound <= Int(Int32.max), context.pointee.isMostlyContent {
            // Little memory is lost when the array is as large as the bound.
            return [UInt8](unsafeUninitializedCapacity: bound) { target, count in
                if let base = target.baseAddress { count = pack(image, to: base, atMost: bound) }
            }
        }
        guard let bytes = packToScratch(image, context) else { return try packed(image) }
        // The one way to make an array that looks up no type at run time, which takes longer than
        // a small copy.
        return Array(bytes)
    }
}
