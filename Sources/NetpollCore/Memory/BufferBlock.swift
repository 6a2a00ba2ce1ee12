/// A block of raw memory that buffers and slices share by reference count.
///
/// Bytes before a slice's end are never written again: one buffer at a time may extend the block,
/// and only past everything that was handed out. So readers on any thread need no lock.
final class BufferBlock: @unchecked Sendable {
    // @unchecked: `base` is raw memory; the append-only rule above keeps writers and readers apart.

    let base: UnsafeMutableRawPointer
    let capacity: Int

    /// Takes a block with room for at least `minimumCapacity` bytes from the thread's cache.
    init(minimumCapacity: Int) {
        capacity = BufferCache.capacity(for: minimumCapacity)
        base = BufferCache.take(capacity: capacity)
    }

    deinit { BufferCache.give(base, capacity: capacity) }
}
