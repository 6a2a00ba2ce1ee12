import NetpollTesting
import TestSupport
import Testing

@testable import NetpollCore

@Suite("Connections in memory", .timeLimit(.minutes(1)))
struct MemoryConnectionTests {
    private let group: EventLoopGroup
    private let pair: ConnectedPair

    init() throws {
        group = try EventLoopGroup(count: 2)
        pair = ConnectedPair(group: group)
    }

    @Test("bytes arrive whole and in order both ways, more than fit at a time")
    func bytes() async throws {
        var random = SeededGenerator(seed: 1)
        let bytes = random.bytes(1 << 20)
        async let there = pair.second.read(count: bytes.count)
        async let back = pair.first.read(count: bytes.count)
        try await pair.first.write(bytes)
        try await pair.second.write(bytes)
        #expect(Array(try await there) == bytes)
        #expect(Array(try await back) == bytes)
        await group.shutdown()
    }

    @Test("an end that has shut its write direction still gets its reply; then both are gone")
    func halfClose() async throws {
        try await pair.first.write([1, 2])
        pair.first.closeOutput()
        #expect(Array(try await pair.second.read(count: 2)) == [1, 2])
        #expect(try await pair.second.read() == nil)
        #expect(!pair.second.isActive && !pair.first.isActive)
        try await pair.second.write([3])
        pair.second.close()
        #expect(Array(try await pair.first.read(count: 1)) == [3])
        #expect(try await pair.first.read() == nil)
        let gone = CountingLatch(2)
        for end in [pair.first, pair.second] { end.onClose { gone.hit() } }
        await gone.reached()
        await group.shutdown()
    }

    @Test("closing on unread bytes resets the peer; writing to one that has gone fails")
    func reset() async throws {
        try await pair.first.write([1])
        try await eventually("the byte is there") { true }
        _ = try await pair.second.waitForInput()
        pair.second.pauseReading()
        try await pair.first.write([UInt8](repeating: 2, count: 100))
        await pair.second.loop.turn()
        pair.second.abort()
        let error = await #expect(throws: NetpollError.self) {
            while true {
                try await pair.first.write([3])
                try await pair.first.flush()
            }
        }
        #expect([.connectionReset, .connectionClosed].contains(error?.code))
        await group.shutdown()
    }

    @Test("a peer that does not read holds the writer back")
    func backPressure() async throws {
        pair.second.pauseReading()
        await pair.second.loop.turn()
        try await pair.first.write([UInt8](repeating: 1, count: 2 << 20))
        let late = await #expect(throws: NetpollError.self) {
            try await pair.first.write([2], deadline: .after(.milliseconds(50)))
        }
        #expect(late?.code == .timedOut)
        #expect(await pair.second.bufferedByteCount() == 0)
        pair.second.resumeReading()
        #expect(try await pair.second.read(count: 2 << 20).count == 2 << 20)
        await group.shutdown()
    }

    @Test("no descriptor is needed")
    func descriptors() async throws {
        await #expect(processExitsWith: .success) {
            let group = try EventLoopGroup(count: 1)
            _ = ConnectedPair(group: group)
            let before = ProcessState.descriptorCount
            let pairs = (0..<100).map { _ in ConnectedPair(group: group) }
            for pair in pairs {
                try await pair.first.write([1])
                #expect(try await pair.second.read(count: 1).count == 1)
            }
            #expect(ProcessState.descriptorCount <= before)
        }
    }
}
