import Glibc
import NetpollTesting
import TestSupport
import Testing

@testable import NetpollCore

@Suite("The read side of a connection", .timeLimit(.minutes(1)))
struct InputTests {
    @Test("the mark that one long read raised falls again")
    func markFalls() async throws {
        let group = try EventLoopGroup(count: 1)
        let pair = ConnectedPair(group: group)
        let size = 8 << 20
        let writer = Task {
            for _ in 0..<(3 * size >> 16) {
                try await pair.first.write([UInt8](repeating: 1, count: 1 << 16))
            }
        }
        #expect(try await pair.second.read(count: size).count == size)
        try await eventually("reading pauses") {
            pair.first.outputByteCount >= pair.first.options.writeHighWaterMark
        }
        let unread = await pair.second.bufferedByteCount()
        let mark = pair.second.options.readHighWaterMark
        #expect(unread <= mark + pair.second.options.readSizeLimit)
        writer.cancel()
        pair.first.abort()
        _ = try? await writer.value
        await group.shutdown()
    }

    @Test("a handler that leaves more than the mark unread, and waits for nothing, is told")
    func stuckHandler() async throws {
        final class Stuck: ConnectionHandler {
            let closed = Waiter<NetpollError?>()
            func connection(_ connection: Connection, didReceive input: inout LinkBuffer) -> Int {
                0
            }
            func connectionDidReachEnd(_ connection: Connection) {}
            func connection(_ connection: Connection, didCloseWith error: NetpollError?) {
                closed.finish(.success(error))
            }
        }
        let group = try EventLoopGroup(count: 1)
        let stuck = Stuck()
        let pair = ConnectedPair(group: group) { _ in stuck }
        let writer = Task {
            while true { try await pair.first.write([UInt8](repeating: 1, count: 1 << 16)) }
        }
        let error = try await stuck.closed.wait(begin: {}, onCancel: {})
        #expect(error?.code == .limitExceeded)
        _ = try? await writer.value
        await group.shutdown()
    }

    @Test("a handler that comes late and reads everything leaves no block with the connection")
    func noBlockLeft() async throws {
        final class Reader: ConnectionHandler {
            func connection(_ connection: Connection, didReceive input: inout LinkBuffer) -> Int {
                input.skip(input.byteCount)
                return 0
            }
            func connectionDidReachEnd(_ connection: Connection) {}
            func connection(_ connection: Connection, didCloseWith error: NetpollError?) {}
        }
        let group = try EventLoopGroup(count: 1)
        let pair = ConnectedPair(group: group)
        let second = pair.second
        try await pair.first.write([1, 2, 3])
        #expect(try await second.waitForInput(moreThan: 2))
        second.setHandler(Reader())
        #expect(await second.loop.call { second.input.segments.count } == 0)
        await group.shutdown()
    }

    @Test("the unread bytes of all connections have a bound, and what is read counts no more")
    func budget() async throws {
        var options = EventLoopGroupOptions()
        options.inputMemoryLimit = 256 << 10
        let group = try EventLoopGroup(count: 2, options: options)
        let pairs = (0..<8).map { _ in ConnectedPair(group: group) }
        for pair in pairs { try await pair.first.write([UInt8](repeating: 1, count: 64 << 10)) }
        try await eventually("some are closed") { pairs.contains { !$0.second.isActive } }
        let budget = group.loops[0].inputBudget
        #expect(budget.usedByteCount <= budget.limit)
        var refused = 0
        for pair in pairs {
            do {
                #expect(try await pair.second.read(count: 64 << 10).count == 64 << 10)
            } catch {
                #expect(error.code == .limitExceeded)
                refused += 1
            }
        }
        #expect((1...7).contains(refused))
        #expect(budget.usedByteCount == 0)
        await group.shutdown()
    }

    @Test("bytes that nobody reads count until their connection is gone")
    func budgetAfterClose() async throws {
        let group = try EventLoopGroup(count: 1)
        let budget = group.loops[0].inputBudget
        do {
            let pair = ConnectedPair(group: group)
            try await pair.first.write([UInt8](repeating: 1, count: 10_000))
            try await eventually("they have come") { budget.usedByteCount >= 10_000 }
            pair.first.close()
            pair.second.abort()
        }
        try await eventually("they are gone") { budget.usedByteCount == 0 }
        await group.shutdown()
    }

    @Test("the size of reads follows traffic and decays")
    func readSize() async throws {
        let group = try EventLoopGroup(count: 1)
        let pair = ConnectedPair(group: group)
        let loop = pair.second.loop
        let second = pair.second
        #expect(await loop.call { second.readSize } == second.options.initialReadSize)
        for _ in 0..<32 {
            try await pair.first.write([UInt8](repeating: 1, count: 256 << 10))
            _ = try await second.read(count: 256 << 10)
        }
        #expect(await loop.call { second.readSize } > 8 * second.options.initialReadSize)
        for _ in 0..<32 {
            try await pair.first.write([1])
            _ = try await second.read(count: 1)
        }
        #expect(await loop.call { second.readSize } == second.options.initialReadSize)
        await group.shutdown()
    }

    // Row B3.
    @Test("a reset ends a connection whose reading is paused, bytes or not")
    func resetWhilePaused() async throws {
        let pair = try await RawPair()
        let raw = pair.raw
        try await blocking { try raw.send([1, 2, 3]) }
        _ = try await pair.connection.waitForInput()
        pair.connection.pauseReading()
        await pair.connection.loop.turn()
        let gone = CountingLatch(1)
        pair.connection.onClose { gone.hit() }
        try await blocking { raw.reset() }
        await gone.reached()
        #expect(!pair.connection.isActive)
        await pair.end()
    }
}
