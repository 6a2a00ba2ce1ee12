import TestSupport
import Testing

@testable import NetpollCore

@Suite("Connections on which nothing happens", .timeLimit(.minutes(2)))
struct IdleConnectionTests {
    // Row B3.
    @Test("an end and a later reset on an idle connection are noticed and cost no wake-ups")
    func endThenReset() async throws {
        let pair = try await RawPair()
        let closed = Waiter<Void>()
        pair.connection.onClose { closed.finish(.success(())) }
        pair.raw.finish()
        try await eventually("the end is noticed") { !pair.connection.isActive }
        let used = try await pair.group.loops[0].usage(during: .milliseconds(300))
        #expect(used.milliseconds < 20)
        #expect(used.sleeps < 10)
        #expect(try await pair.connection.read() == nil as BufferSlice?)
        let start = Deadline.now()
        pair.raw.reset()
        try await closed.wait(begin: {}, onCancel: {})
        #expect(start.advanced(by: .seconds(1)) > .now())
        await pair.end()
    }

    @Test("a reset on an idle connection that nobody reads closes it at once")
    func reset() async throws {
        let pair = try await RawPair()
        let closed = Waiter<Void>()
        pair.connection.onClose { closed.finish(.success(())) }
        let start = Deadline.now()
        pair.raw.reset()
        try await closed.wait(begin: {}, onCancel: {})
        #expect(start.advanced(by: .seconds(1)) > .now())
        let error = await #expect(throws: NetpollError.self) { try await pair.connection.read() }
        #expect(error?.code == .connectionReset)
        await pair.end()
    }

    @Test(
        "a peer that ends, or resets, while its bytes wait unread does not keep the loop busy",
        arguments: [true, false]
    )
    func pausedEnd(resets: Bool) async throws {
        var options = ConnectionOptions()
        options.readHighWaterMark = 1 << 14
        options.readSizeLimit = 1 << 12
        let pair = try await RawPair(options: options)
        let raw = pair.raw
        try await blocking { try raw.send([UInt8](repeating: 1, count: 48 << 10)) }
        let connection = pair.connection
        while await !connection.loop.call({ connection.isReadingPaused }) { await Task.yield() }
        if resets { raw.reset() } else { raw.finish() }
        try await eventually("the end is noticed") { !connection.isActive }
        let used = try await pair.group.loops[0].usage(during: .milliseconds(300))
        #expect(used.sleeps < 10)
        #expect(used.milliseconds < 30)
        await pair.end()
    }

    @Test("a connection that nobody uses keeps no memory and no timer awake")
    func quiet() async throws {
        let pair = try await RawPair()
        let used = try await pair.group.loops[0].usage(during: .milliseconds(300))
        #expect(used.milliseconds < 20)
        #expect(used.sleeps < 5)
        await pair.end()
    }
}
