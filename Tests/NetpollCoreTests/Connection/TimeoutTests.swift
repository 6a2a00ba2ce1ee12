import NetpollTesting
import Testing

@testable import NetpollCore

@Suite("Timeouts of connections, on a clock moved by hand", .timeLimit(.minutes(1)))
struct TimeoutTests {
    private func pair(_ clock: ManualClock, _ options: ConnectionOptions) throws
        -> (EventLoopGroup, ConnectedPair)
    {
        let group = try EventLoopGroup(count: 1, options: clock.options)
        return (group, ConnectedPair(group: group, options: options))
    }

    @Test("an idle connection is closed when its time is up, and every byte begins the time anew")
    func idle() async throws {
        let clock = ManualClock()
        var options = ConnectionOptions()
        options.idleTimeout = .seconds(60)
        let (group, pair) = try pair(clock, options)
        for _ in 0..<3 {
            await clock.advance(by: .seconds(59))
            #expect(pair.first.isActive && pair.second.isActive)
            try await pair.first.write([1])
            #expect(try await pair.second.read(count: 1).count == 1)
        }
        await clock.advance(by: .seconds(59))
        #expect(pair.first.isActive && pair.second.isActive)
        await clock.advance(by: .seconds(2))
        #expect(!pair.first.isActive)
        let error = await #expect(throws: NetpollError.self) { _ = try await pair.first.read() }
        #expect(error?.code == .timedOut)
        await group.shutdown()
    }

    @Test(
        "a peer that takes no bytes for the stall timeout is given up, one that takes some is not"
    )
    func stall() async throws {
        let clock = ManualClock()
        var options = ConnectionOptions()
        options.stallTimeout = .seconds(30)
        options.readHighWaterMark = 4096
        options.writeHighWaterMark = 16 << 20
        let (group, pair) = try pair(clock, options)
        try await pair.first.write([UInt8](repeating: 7, count: 8 << 20))
        await clock.advance(by: .seconds(29))
        #expect(pair.first.isActive)
        // The reader takes what the kernel holds, so the writer gets on.
        let before = pair.first.outputByteCount
        var taken = 0
        while pair.first.outputByteCount == before {
            taken += try await pair.second.read()?.count ?? 0
        }
        #expect(taken > 0)
        // What that has set in motion comes to rest before time goes on.
        for _ in 0..<20 { await pair.first.loop.turn() }
        await clock.advance(by: .seconds(29))
        #expect(pair.first.isActive)
        await clock.advance(by: .seconds(2))
        #expect(!pair.first.isActive)
        let error = await #expect(throws: NetpollError.self) { try await pair.first.flush() }
        #expect(error?.code == .timedOut)
        await group.shutdown()
    }

    @Test("a read, a write and a flush end at their deadlines, and lose nothing")
    func deadlines() async throws {
        let clock = ManualClock()
        var options = ConnectionOptions()
        options.stallTimeout = nil
        options.writeHighWaterMark = 1024
        options.readHighWaterMark = 1024
        let (group, pair) = try pair(clock, options)
        try await pair.first.write([UInt8](repeating: 7, count: 4 << 20))
        let deadline = clock.deadline(after: .seconds(5))
        let calls: [@Sendable () async throws -> Void] = [
            { try await pair.first.write([1], deadline: deadline) },
            { try await pair.first.flush(deadline: deadline) },
            { _ = try await pair.first.read(count: 1, deadline: deadline) },
        ]
        await withTaskGroup(of: NetpollError.Code?.self) { tasks in
            for call in calls {
                tasks.addTask {
                    do {
                        try await call()
                        return nil
                    } catch {
                        return (error as? NetpollError)?.code
                    }
                }
            }
            await clock.advance(by: .seconds(4))
            // However late a call begins, its deadline has passed by then.
            await clock.advance(by: .seconds(2))
            for await code in tasks { #expect(code == .timedOut) }
        }
        var received = 0
        while received < 4 << 20 { received += try await pair.second.read()?.count ?? 0 }
        #expect(received == 4 << 20, "the write that timed out has sent nothing")
        await group.shutdown()
    }

    @Test("a connection that cannot be made is given up at the connect timeout")
    func dial() async throws {
        let clock = ManualClock()
        let group = try EventLoopGroup(count: 1, options: clock.options)
        // A backlog of one that nobody accepts from: the kernel answers no further connect.
        let socket = try Socket.make(family: 2)
        let any = try RawAddress.resolve(.tcp(host: "127.0.0.1", port: 0), passive: true)[0]
        #expect(socket.bind(any) == nil)
        try socket.listen(backlog: 0)
        let address = try #require(socket.localAddress?.socketAddress)
        let dialer = Dialer(group: group, connectTimeout: .seconds(3))
        let filler = try await dialer.dial(address)
        let late = Task { try await dialer.dial(address) }
        while await group.loops[0].timerCount() == 0 {}
        await clock.advance(by: .milliseconds(2900))
        #expect(await group.loops[0].timerCount() == 1)
        await clock.advance(by: .milliseconds(200))
        let error = await #expect(throws: NetpollError.self) { _ = try await late.value }
        #expect(error?.code == .timedOut)
        filler.abort()
        await group.shutdown()
    }
}
