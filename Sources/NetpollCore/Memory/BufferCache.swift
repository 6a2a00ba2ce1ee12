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
final class BufferCache {
    static let smallestShift = 10
    static let largestShift = 22
    /// Most bytes kept in one class: 2 MiB, but always room for one block.
    ///
    /// Memory that goes back to the system comes again page by page: with less than two connections'
    /// messages of 1 MiB here, that took more than half of the time.
    static let bytesPerClassLimit = 2 << 20
    /// Most bytes kept in all classes together.
    static let byteLimit = 8 << 20

    private struct Class {
        var head: UnsafeMutableRawPointer?
        var count = 0
    }

    private static let classCount = largestShift - smallestShift + 1

    // In raw memory, because each access to a property of an object that is not constant would be
    // checked for exclusivity.
    private let classes: UnsafeMutablePointer<Class>
    private let counters: UnsafeMutablePointer<BufferCacheStatistics>

    /// What the cache did so far.
    var statistics: BufferCacheStatistics { counters.pointee }

    private init() {
        classes = .allocate(capacity: Self.classCount)
        classes.initialize(repeating: Class(), count: Self.classCount)
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

    /// Takes uninitialised memory of exactly `capacity` bytes, a value from ``capacity(for:)``.
    static func take(capacity: Int) -> UnsafeMutableRawPointer {
        if let pointer = cnetpoll_buffer_cache() {
            let cached = Unmanaged<BufferCache>.fromOpaque(pointer)._withUnsafeGuaranteedRef {
                $0.take(capacity: capacity)
            }
            if let cached { return cached }
        }
        return HeapMemory.take(byteCount: capacity)
    }

    /// Returns memory that came from ``take(capacity:)`` with the same capacity.
    static func give(_ memory: UnsafeMutableRawPointer, capacity: Int) {
        if let pointer = cnetpoll_buffer_cache() {
            let kept = Unmanaged<BufferCache>.fromOpaque(pointer)._withUnsafeGuaranteedRef {
                $0.give(memory, capacity: capacity)
            }
            if kept { return }
        }
        HeapMemory.give(memory)
    }

    private static func classIndex(_ capacity: Int) -> Int? {
        guard capacity <= 1 << largestShift, capacity >= 1 << smallestShift else { return nil }
        return capacity.trailingZeroBitCount - smallestShift
    }

    private func take(capacity: Int) -> UnsafeMutableRawPointer? {
        guard let index = Self.classIndex(capacity), let head = classes[index].head else {
            counters.pointee.misses &+= 1
            return nil
        }
        // A free block holds the link to the next in its first bytes.
        classes[index].head = head.load(as: UnsafeMutableRawPointer?.self)
        classes[index].count -= 1
        counters.pointee.cachedByteCount -= capacity
        counters.pointee.hits &+= 1
        return head
    }

    private func give(_ memory: UnsafeMutableRawPointer, capacity: Int) -> Bool {
        guard let index = Self.classIndex(capacity),
            (classes[index].count + 1) * capacity <= max(Self.bytesPerClassLimit, capacity),
            counters.pointee.cachedByteCount + capacity <= Self.byteLimit
        else { return false }
        memory.storeBytes(of: classes[index].head, as: UnsafeMutableRawPointer?.self)
        classes[index].head = memory
        classes[index].count += 1
        counters.pointee.cachedByteCount += capacity
        return true
    }

    /// Returns every cached block to the system.
    func trim() {
        for index in 0..<Self.classCount {
            while let head = classes[index].head {
                classes[index].head = head.load(as: UnsafeMutableRawPointer?.self)
                HeapMemory.give(head)
            }
            classes[index].count = 0
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
