/// A queue of bytes in linked blocks, written at the end and read at the front without moving them.
///
/// Writing packs into the last block while it has room, or links memory that the caller hands
/// over. Reading hands out reference-counted slices: nothing has to be released, and no slice can
/// outlive its bytes. A slice of bytes that lie in one block copies nothing; one that crosses
/// blocks gathers them into a block of its own.
///
/// A buffer has one owner at a time and is moved, not copied. It is not synchronised.
public struct LinkBuffer: ~Copyable, Sendable {
    /// A readable run in a block, and how far this buffer may extend it.
    ///
    /// `limit` is the block's capacity for the one buffer that may extend the block, and `end` for
    /// everyone else, so no two owners write to the same place.
    struct Segment: Sendable {
        var block: BufferBlock
        var start: Int
        var end: Int
        var limit: Int

        var count: Int { end - start }
        var readable: UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(start: block.base + start, count: end - start)
        }
        var writable: UnsafeMutableRawBufferPointer {
            UnsafeMutableRawBufferPointer(start: block.base + end, count: limit - end)
        }
    }

    /// The smallest block that writing takes.
    static let minimumBlockByteCount = 4096

    var segments = SegmentQueue()
    /// The number of readable bytes.
    public internal(set) var byteCount = 0

    /// Creates an empty buffer; it takes no memory until bytes arrive.
    public init() {}

    /// Whether there are no readable bytes.
    public var isEmpty: Bool { byteCount == 0 }

    /// The number of blocks that hold readable bytes.
    public var segmentCount: Int { segments.count - (hasEmptyLast ? 1 : 0) }

    /// The memory of the blocks that the buffer's bytes lie in, as far as this buffer holds it.
    var heldByteCount: Int {
        var sum = 0
        for index in 0..<segments.count { sum += segments[index].limit - segments[index].start }
        return sum
    }

    /// The last segment may be empty: room for what is written next.
    var hasEmptyLast: Bool { segments.count > 0 && segments[segments.count - 1].count == 0 }

    /// Calls `body` with each contiguous run of readable bytes from the front, consuming nothing.
    ///
    /// What gathers output, like writev(2), takes them as they are. A span cannot leave its call.
    ///
    /// - Throws: What `body` throws.
    public func forEachRegion<E: Error>(_ body: (RawSpan) throws(E) -> Void) throws(E) {
        for index in 0..<segmentCount { try body(segments[index].readable.bytes) }
    }

    /// Forgets all bytes and lets go of all blocks.
    public mutating func removeAll() {
        segments.removeAll()
        byteCount = 0
    }

    /// Takes everything out, leaving this buffer empty.
    public mutating func takeAll() -> LinkBuffer {
        var taken = LinkBuffer()
        swap(&self, &taken)
        return taken
    }
}
