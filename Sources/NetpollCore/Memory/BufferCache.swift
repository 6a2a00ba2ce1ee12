internal import CNetpoll

/// Free memory blocks of one thread, in power-of-two classes.
///
/// Each event-loop thread owns one; the calls below reach it through a thread-local slot, so no
/// lock is taken. A thread without a cache gets memory from `malloc` and returns it there. A block
/// may be freed on another thread than the one that took it: it then joins that thread's cache.
///
/// Bounds: classes from 1 KiB to 4 MiB are cached, at most ``bytesPerClassLimit`` in each and
/// ``byteLimit`` in all; larger blocks and what exceeds a bound go back to the system at once. A
/// loop that has had nothing to do for 5 to 10 s gives everything back.
///
/// A block that a buffer has let go of is kept with its object; of one that slices shared only the
/// memory is left.
final class BufferCache {
    static let smallestShift = 10
    static let largestShift = 22
    /// Most bytes kept in one class: 6 MiB, but always room for one block.
    ///
    /// Memory that goes back to the system comes again page by page: with less than two connections'
    /// messages of 1 MiB here, that took more than half of the time.
    static let bytesPerClassLimit = 6 << 20
    /// Most bytes kept in all classes together.
    static let byteLimit = 8 << 20

    private struct Class {
        /// Memory; the first bytes hold the link to the next.
        var head: UnsafeMutableRawPointer?
        /// Blocks, each retained; the first bytes of a block's memory hold the link to the next.
        var blocks: UnsafeMutableRawPointer?
        /// How many there are of both kinds.
        var count = 0

        @inline(__always)
        mutating func push(_ memory: UnsafeMutableRawPointer) {
            memory.storeBytes(of: head, as: UnsafeMutableRawPointer?.self)
            head = memory
            count += 1
        }

        @inline(__always)
        mutating func pop() -> UnsafeMutableRawPointer? {
            guard let memory = head else { return nil }
            head = memory.load(as: UnsafeMutableRawPointer?.self)
            count -= 1
            return memory
        }

        @inline(__always)
        mutating func push(_ block: consuming BufferBlock) {
            block.base.storeBytes(of: blocks, as: UnsafeMutableRawPointer?.self)
            blocks = Unmanaged.passRetained(block).toOpaque()
            count += 1
        }

        @inline(__always)
        mutating func popBlock() -> BufferBlock? {
            guard let pointer = blocks else { return nil }
            let block = Unmanaged<BufferBlock>.fromOpaque(pointer).takeRetainedValue()
            blocks = block.base.load(as: UnsafeMutableRawPointer?.self)
            count -= 1
            return block
        }
    }

    private static let classCount = largestShift - smallestShift + 1

    /// The memory of a short segment queue, which each buffer that holds bytes has, is kept too: at
    /// most so many, behind the classes.
    private static let queueLimit = 256
    static let queueByteCount = 4 * MemoryLayout<LinkBuffer.Segment>.stride

    // In raw memory, because each access to a property of an object that is not constant would be
    // checked for exclusivity.
    private let classes: UnsafeMutablePointer<Class>
    private let counters: UnsafeMutablePointer<BufferCacheStatistics>

    /// What the cache did so far.
    var statistics: BufferCacheStatistics { counters.pointee }

    private init() {
        classes = .allocate(capacity: Self.classCount + 1)
        classes.initialize(repeating: Class(), count: Self.classCount + 1)
        counters = .allocate(capacity: 1)
        counters.initialize(to: BufferCacheStatistics())
    }

    deinit {
        trim()
        classes.deallocate()
        counters.deallocate()
    }

    /// Gives the calling thread a cache.
    ///
    /// Call once, at the start of a thread.
    static func attachToThread() {
        precondition(cnetpoll_buffer_cache() == nil, "a thread has one buffer cache")
        cnetpoll_set_buffer_cache(Unmanaged.passRetained(BufferCache()).toOpaque())
    }

    /// Frees the calling thread's cache.
    ///
    /// Call last before the thread ends.
    static func detachFromThread() {
        guard let pointer = cnetpoll_buffer_cache() else { return }
        cnetpoll_set_buffer_cache(nil)
        Unmanaged<BufferCache>.fromOpaque(pointer).release()
    }

    /// The calling thread's cache, if it has one.
    static var current: BufferCache? {
        cnetpoll_buffer_cache().map { Unmanaged<BufferCache>.fromOpaque($0).takeUnretainedValue() }
    }

    /// The capacity that a request for `byteCount` bytes gets.
    static func capacity(for byteCount: Int) -> Int {
        let smallest = 1 << smallestShift
        guard byteCount > smallest else { return smallest }
        guard byteCount <= 1 << largestShift else { return byteCount }
        return 1 << (Int.bitWidth - (byteCount - 1).leadingZeroBitCount)
    }

    @inline(__always)
    private static func withCurrent<R>(_ body: (BufferCache) -> R?) -> R? {
        guard let pointer = cnetpoll_buffer_cache() else { return nil }
        return Unmanaged<BufferCache>.fromOpaque(pointer)._withUnsafeGuaranteedRef(body)
    }

    /// Takes uninitialised memory of exactly `capacity` bytes, a value from ``capacity(for:)``.
    static func take(capacity: Int) -> UnsafeMutableRawPointer {
        withCurrent { $0.take(capacity: capacity) } ?? HeapMemory.take(byteCount: capacity)
    }

    /// Returns memory that came from ``take(capacity:)`` with the same capacity.
    static func give(_ memory: UnsafeMutableRawPointer, capacity: Int) {
        let kept: Void? = withCurrent { cache in
            cache.makeRoom(capacity).map { cache.classes[$0].push(memory) }
        }
        if kept == nil { HeapMemory.give(memory) }
    }

    /// Takes a block of exactly `capacity` bytes that was kept, if there is one.
    static func takeBlock(capacity: Int) -> BufferBlock? {
        withCurrent { $0.takeBlock(capacity: capacity) }
    }

    /// Keeps a block that nobody else holds and whose memory is the cache's own, if there is room.
    static func keep(_ block: consuming BufferBlock) {
        let capacity = block.capacity
        guard
            let kept = withCurrent({ cache in cache.makeRoom(capacity).map { cache.classes + $0 } })
        else { return }
        kept.pointee.push(block)
    }

    /// Takes memory of ``SegmentQueue``'s first size.
    static func takeQueue() -> UnsafeMutableRawPointer {
        withCurrent { $0.classes[classCount].pop() } ?? HeapMemory.take(byteCount: queueByteCount)
    }

    /// Returns memory from ``takeQueue()``.
    static func giveQueue(_ memory: UnsafeMutableRawPointer) {
        let kept: Void? = withCurrent { cache in
            guard cache.classes[classCount].count < queueLimit else { return nil }
            return cache.classes[classCount].push(memory)
        }
        if kept == nil { HeapMemory.give(memory) }
    }

    private static func classIndex(_ capacity: Int) -> Int? {
        guard capacity <= 1 << largestShift, capacity >= 1 << smallestShift else { return nil }
        return capacity.trailingZeroBitCount - smallestShift
    }

    private func take(capacity: Int) -> UnsafeMutableRawPointer? {
        guard let index = Self.classIndex(capacity), let memory = classes[index].pop() else {
            counters.pointee.misses &+= 1
            return nil
        }
        noteHit(capacity)
        return memory
    }

    private func takeBlock(capacity: Int) -> BufferBlock? {
        guard let index = Self.classIndex(capacity), let block = classes[index].popBlock() else {
            return nil
        }
        noteHit(capacity)
        return block
    }

    private func noteHit(_ capacity: Int) {
        counters.pointee.cachedByteCount -= capacity
        counters.pointee.hits &+= 1
    }

    /// Counts the bytes of one more in a class; `nil` if a bound forbids it.
    private func makeRoom(_ capacity: Int) -> Int? {
        guard let index = Self.classIndex(capacity),
            (classes[index].count + 1) * capacity <= max(Self.bytesPerClassLimit, capacity),
            counters.pointee.cachedByteCount + capacity <= Self.byteLimit
        else { return nil }
        counters.pointee.cachedByteCount += capacity
        return index
    }

    /// Returns every cached block to the system.
    func trim() {
        for index in 0...Self.classCount {
            // Their memory comes to the class, or goes to the system if the thread has ended.
            while let block = classes[index].popBlock() { withExtendedLifetime(block) {} }
            while let memory = classes[index].pop() { HeapMemory.give(memory) }
        }
        counters.pointee.cachedByteCount = 0
    }
}

/// What the buffer caches of threads did since the threads began.
public struct BufferCacheStatistics: Sendable, Hashable {
    /// Requests served from the cache.
    public internal(set) var hits = 0
    /// Requests that went to the system.
    public internal(set) var misses = 0
    /// Bytes the cache holds at present.
    public internal(set) var cachedByteCount = 0

    static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.hits &+= right.hits
        sum.misses &+= right.misses
        sum.cachedByteCount += right.cachedByteCount
        return sum
    }
}
