/// A block of raw memory that buffers and slices share by reference count.
///
/// Bytes before a slice's end are never written again: one buffer at a time may extend the block,
/// and only past everything that was handed out. So readers on any thread need no lock.
@usableFromInline
final class BufferBlock: @unchecked Sendable {
    // @unchecked: `base` is raw memory; the append-only rule above keeps writers and readers apart.

    @usableFromInline let base: UnsafeMutableRawPointer
    let capacity: Int
    /// Gives memory back that came from elsewhere; `nil` for the cache's own.
    private let deallocator: (@Sendable (UnsafeMutableRawBufferPointer) -> Void)?

    /// Whether the memory may be written again once nobody reads it.
    var isReusable: Bool { deallocator == nil }

    /// A block with room for at least `minimumCapacity` bytes: one that the thread's cache has kept as
    /// it is, or a new one.
    @usableFromInline
    static func make(minimumCapacity: Int) -> BufferBlock {
        BufferCache.takeBlock(capacity: BufferCache.capacity(for: minimumCapacity))
            ?? BufferBlock(minimumCapacity: minimumCapacity)
    }

    /// Lets go of a block; if nobody else holds it, the thread's cache keeps it for
    /// ``make(minimumCapacity:)``, which saves an object for each read.
    static func letGo(_ block: consuming BufferBlock) {
        guard block.isReusable, isKnownUniquelyReferenced(&block) else { return }
        BufferCache.keep(block)
    }

    /// Takes memory for at least `minimumCapacity` bytes from the thread's cache.
    init(minimumCapacity: Int) {
        capacity = BufferCache.capacity(for: minimumCapacity)
        base = BufferCache.take(capacity: capacity)
        deallocator = nil
    }

    /// Takes over memory that `deallocator` gives back.
    init(
        base: UnsafeMutableRawPointer,
        count: Int,
        deallocator: @escaping @Sendable (UnsafeMutableRawBufferPointer) -> Void
    ) {
        self.base = base
        capacity = count
        self.deallocator = deallocator
    }

    deinit {
        if let deallocator {
            deallocator(UnsafeMutableRawBufferPointer(start: base, count: capacity))
        } else {
            BufferCache.give(base, capacity: capacity)
        }
    }
}
