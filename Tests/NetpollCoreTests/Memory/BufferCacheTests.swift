import Testing

@testable import NetpollCore

@Suite("BufferCache")
struct BufferCacheTests {
    @Test("capacities are powers of two up to a megabyte and exact above")
    func capacities() {
        #expect(
            [0, 1, 1024, 1025, 5000, 1 << 20].map(BufferCache.capacity) == [
                1024, 1024, 1024, 2048, 8192, 1 << 20,
            ]
        )
        #expect(BufferCache.capacity(for: 1 << 20 + 1) == 1 << 20 + 1)
    }

    @Test("a loop's thread reuses blocks within the bound; other threads have no cache")
    func reuse() async throws {
        let group = try EventLoopGroup(count: 1)
        let statistics = await withCheckedContinuation { continuation in
            group.loops[0].execute {
                for _ in 0..<3 {
                    // More than a class keeps: 256 KiB of 4 KiB blocks are 64.
                    let blocks = (0..<100).map { _ in BufferBlock(minimumCapacity: 4096) }
                    withExtendedLifetime(blocks) {}
                }
                continuation.resume(returning: BufferCache.current?.statistics)
            }
        }
        #expect(statistics?.cachedByteCount == BufferCache.bytesPerClassLimit)
        #expect(statistics?.hits == 128 && statistics?.misses == 172)
        #expect(BufferCache.current == nil)
        await group.shutdown()
    }
}
