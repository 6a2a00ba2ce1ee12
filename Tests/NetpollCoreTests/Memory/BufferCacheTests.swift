import TestSupport
import Testing

@testable import NetpollCore

@Suite("BufferCache")
struct BufferCacheTests {
    @Test("capacities are powers of two up to a megabyte and exact above")
    func capacities() {
        #expect(
            [0, 1, 1024, 1025, 5000, 1 << 22].map(BufferCache.capacity) == [
                1024, 1024, 1024, 2048, 8192, 1 << 22,
            ]
        )
        #expect(BufferCache.capacity(for: 1 << 22 + 1) == 1 << 22 + 1)
    }

    @Test("a loop's thread reuses blocks within the bound; other threads have no cache")
    func reuse() async throws {
        let group = try EventLoopGroup(count: 1)
        let statistics = await withCheckedContinuation { continuation in
            group.loops[0].execute {
                for _ in 0..<3 {
                    // More than a class keeps: 6 MiB of 32 KiB blocks are 192.
                    let blocks = (0..<300).map { _ in BufferBlock(minimumCapacity: 32 << 10) }
                    withExtendedLifetime(blocks) {}
                }
                continuation.resume(returning: BufferCache.current?.statistics)
            }
        }
        #expect(statistics?.cachedByteCount == BufferCache.bytesPerClassLimit)
        #expect(statistics?.hits == 384 && statistics?.misses == 516)
        #expect(BufferCache.current == nil)
        await group.shutdown()
    }

    /// Calls a closure on a thread that has a cache.
    private func withCache<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async throws
        -> Value
    {
        try await blocking {
            BufferCache.attachToThread()
            defer { BufferCache.detachFromThread() }
            return body()
        }
    }

    private static var statistics: BufferCacheStatistics? { BufferCache.current?.statistics }

    @Test("each class and the whole have a bound, and what is too large is not kept")
    func bounds() async throws {
        let cached = try await withCache { () -> [Int?] in
            var cached: [Int?] = []
            for shift in BufferCache.smallestShift...13 {
                let before = Self.statistics?.cachedByteCount ?? 0
                // Twice what a class may keep.
                let count = max(2, 2 * BufferCache.bytesPerClassLimit >> shift)
                do { _ = (0..<count).map { _ in BufferBlock(minimumCapacity: 1 << shift) } }
                cached.append(Self.statistics.map { $0.cachedByteCount - before })
            }
            // There is no room any more, and what is too large would have none anyway.
            for shift in 14...BufferCache.largestShift {
                withExtendedLifetime(BufferBlock(minimumCapacity: 1 << shift)) {}
            }
            withExtendedLifetime(BufferBlock(minimumCapacity: 1 << 22 + 1)) {}
            return cached + [Self.statistics?.cachedByteCount]
        }
        #expect(cached == [6 << 20, 2 << 20, 0, 0, 8 << 20])
    }

    @Test("trimming gives everything back, and the next request goes to the system")
    func trim() async throws {
        let statistics = try await withCache { () -> [BufferCacheStatistics?] in
            for shift in 10...20 {
                withExtendedLifetime(BufferBlock(minimumCapacity: 1 << shift)) {}
            }
            let full = Self.statistics
            BufferCache.current?.trim()
            let empty = Self.statistics
            withExtendedLifetime(BufferBlock(minimumCapacity: 4096)) {}
            return [full, empty, Self.statistics]
        }
        #expect(statistics.map { $0?.cachedByteCount } == [2047 << 10, 0, 4096])
        #expect(statistics.map { $0?.misses } == [11, 11, 12])
        #expect(statistics.map { $0?.hits } == [0, 0, 0])
    }

    @Test("a block joins the cache of the thread that lets go of it last, and not before")
    func otherThread() async throws {
        let handed = Shared<[BufferSlice]>([])
        try await withCache {
            let slice = BufferSlice(copying: [1, 2, 3])
            handed.update { $0 = [slice, slice.slice(1..<2)] }
        }
        let cached = try await withCache { () -> [Int?] in
            (0..<2).map { _ in
                handed.update { _ = $0.removeFirst() }
                return Self.statistics?.cachedByteCount
            }
        }
        #expect(cached == [0, 1024])
    }

    @Test("a block that a buffer lets go of comes back as the same object, a shared one does not")
    func objects() async throws {
        let (same, cached, shared) = try await withCache { () -> (Bool, [Int?], [UInt8]) in
            var cached: [Int?] = []
            var buffer = LinkBuffer()
            buffer.write([1, 2, 3])
            let first = ObjectIdentifier(buffer.segments[0].block)
            buffer.removeAll()
            cached.append(Self.statistics?.cachedByteCount)
            buffer.write([4, 5, 6])
            let same = ObjectIdentifier(buffer.segments[0].block) == first
            cached.append(Self.statistics?.cachedByteCount)
            var slice = buffer.readSlice(2)
            buffer.removeAll()
            // The slice reads the block: nobody else may get it.
            buffer.write([7, 8, 9])
            cached.append(Self.statistics?.cachedByteCount)
            let shared = slice.map { [UInt8]($0) } ?? []
            slice = nil
            buffer.removeAll()
            cached.append(Self.statistics?.cachedByteCount)
            BufferCache.current?.trim()
            cached.append(Self.statistics?.cachedByteCount)
            return (same, cached, shared)
        }
        #expect(same)
        #expect(cached == [4096, 0, 0, 8192, 0])
        #expect(shared == [4, 5])
    }

    @Test("blocks that are kept with their objects count for the bound of their class")
    func objectBounds() async throws {
        let cached = try await withCache { () -> Int? in
            let count = 2 * BufferCache.bytesPerClassLimit / 4096
            var buffer = LinkBuffer()
            for _ in 0..<count { buffer.write([UInt8](repeating: 0, count: 4096)) }
            buffer.removeAll()
            return Self.statistics?.cachedByteCount
        }
        #expect(cached == BufferCache.bytesPerClassLimit)
    }

    @Test("memory that a user handed over goes back to the user, not to the cache")
    func foreignMemory() async throws {
        let freed = Shared(0)
        let cached = try await withCache { () -> Int? in
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
            memory.initializeMemory(as: UInt8.self, repeating: 1)
            var buffer = LinkBuffer()
            buffer.append(
                BufferSlice(owning: memory) {
                    $0.deallocate()
                    freed.update { $0 += 1 }
                }
            )
            buffer.removeAll()
            return Self.statistics?.cachedByteCount
        }
        #expect(cached == 0 && freed.value == 1)
    }

    @Test("a loop that has nothing to do gives its blocks back")
    func idle() async throws {
        var options = EventLoopGroupOptions()
        options.trimDelay = .milliseconds(5)
        let group = try EventLoopGroup(count: 1, options: options)
        await group.loops[0].call {
            for _ in 0..<3 { withExtendedLifetime(BufferBlock(minimumCapacity: 4096)) {} }
        }
        #expect(await group.bufferStatistics().hits == 2)
        var cached = 4096
        // To ask is work for the loop, so it gets the time between.
        for _ in 0..<100 where cached > 0 {
            try await group.loops[0].sleep(until: .after(.milliseconds(50)))
            cached = await group.bufferStatistics().cachedByteCount
        }
        #expect(cached == 0)
        await group.shutdown()
    }

    @Test("a second cache for a thread, and more bytes than were reserved, trap")
    func misuse() async {
        await #expect(processExitsWith: .failure) {
            BufferCache.attachToThread()
            BufferCache.attachToThread()
        }
        await #expect(processExitsWith: .failure) {
            var buffer = LinkBuffer()
            _ = buffer.reserve(10)
            buffer.commit(1 << 20)
        }
        await #expect(processExitsWith: .failure) {
            var buffer = LinkBuffer()
            _ = buffer.reserve(-1)
        }
    }
}
