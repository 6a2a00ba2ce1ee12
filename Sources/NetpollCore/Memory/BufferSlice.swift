/// An immutable run of contiguous bytes that keeps its memory alive.
///
/// Copying a slice copies a reference, never the bytes. A slice may travel to any thread.
public struct BufferSlice: Sendable {
    @usableFromInline let block: BufferBlock?
    @usableFromInline let start: Int
    /// The number of bytes.
    public let count: Int

    @usableFromInline
    init(block: BufferBlock, start: Int, count: Int) {
        self.block = block
        self.start = start
        self.count = count
    }

    /// An empty slice.
    public init() {
        block = nil
        start = 0
        count = 0
    }

    /// A slice with its own copy of some bytes.
    public init(copying bytes: some Collection<UInt8>) {
        let byteCount = bytes.count
        guard byteCount > 0 else {
            self.init()
            return
        }
        let block = BufferBlock.make(minimumCapacity: byteCount)
        UnsafeMutableRawBufferPointer(start: block.base, count: byteCount).copyBytes(from: bytes)
        self.init(block: block, start: 0, count: byteCount)
    }

    /// A slice of so many bytes, which `body` writes, all of them.
    ///
    /// `byteCount` must not be negative.
    @inlinable
    package init(byteCount: Int, _ body: (UnsafeMutableRawPointer) -> Void) {
        guard byteCount > 0 else {
            self.init()
            return
        }
        let block = BufferBlock.make(minimumCapacity: byteCount)
        body(block.base)
        self.init(block: block, start: 0, count: byteCount)
    }

    /// A slice that takes over memory of the caller, without copying it.
    ///
    /// - Parameters:
    ///   - memory: The bytes, which nobody may write to or free any more.
    ///   - deallocator: Frees them; called once, on any thread, when the last slice is gone.
    public init(
        owning memory: UnsafeMutableRawBufferPointer,
        deallocator: @escaping @Sendable (UnsafeMutableRawBufferPointer) -> Void
    ) {
        guard let base = memory.baseAddress, memory.count > 0 else {
            deallocator(memory)
            self.init()
            return
        }
        let block = BufferBlock(base: base, count: memory.count, deallocator: deallocator)
        self.init(block: block, start: 0, count: memory.count)
    }

    /// Whether there are no bytes.
    public var isEmpty: Bool { count == 0 }

    /// Lends the bytes; the pointer must not leave the closure.
    ///
    /// - Throws: What `body` throws.
    @inlinable
    public func withUnsafeBytes<R, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        defer { withExtendedLifetime(block) {} }
        guard let block else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        return try body(UnsafeRawBufferPointer(start: block.base + start, count: count))
    }

    /// Part of the slice, sharing its memory.
    ///
    /// The range is clamped to the slice.
    public func slice(_ range: Range<Int>) -> BufferSlice {
        let range = range.clamped(to: 0..<count)
        guard let block, !range.isEmpty else { return BufferSlice() }
        return BufferSlice(block: block, start: start + range.lowerBound, count: range.count)
    }

    var segment: LinkBuffer.Segment? {
        guard let block, count > 0 else { return nil }
        return LinkBuffer.Segment(
            block: block,
            start: start,
            end: start + count,
            limit: start + count
        )
    }
}

extension BufferSlice: Equatable {
    /// Whether two slices hold the same bytes.
    public static func == (left: BufferSlice, right: BufferSlice) -> Bool {
        left.withUnsafeBytes { left in right.withUnsafeBytes { left.elementsEqual($0) } }
    }
}

extension [UInt8] {
    /// A copy of a slice's bytes.
    public init(_ slice: BufferSlice) {
        self = slice.withUnsafeBytes { Array($0) }
    }
}
