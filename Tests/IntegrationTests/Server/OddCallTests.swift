import NetpollCore
import NetpollProtobuf
import NetpollTesting
import TestProtos
import TestSupport
import Testing

@testable import NetpollRPC

@Suite("Calls that are out of the ordinary", .timeLimit(.minutes(2)))
struct OddCallTests {
    // Row A11.
    @Test("ids that repeat, are negative, are zero or wrap are answered as they come")
    func sequenceIDs() async throws {
        let gate = Gate()
        let fixture = try HandlerFixture { _, _ in
            await gate.wait()
            return ""
        }
        let port = fixture.port
        let ids: [Int32] = [7, 7, 7, -1, 0, .max, .min, 1]
        let raw = try await blocking {
            let raw = try RawSocket(port: port)
            for id in ids { try raw.send(try Frames.echo(id)) }
            return raw
        }
        // All of them are in flight at the same time.
        try await eventually("all run") { fixture.server.callCount == ids.count }
        gate.open()
        let answered = try await blocking {
            try ids.map { _ in try raw.receiveAnswer() }.map(\.sequenceID)
        }
        #expect(answered.sorted() == ids.sorted())
        raw.close()
        await fixture.stop()
    }

    // Row C2.
    @Test(
        "a timeout on the wire of any size overflows nothing",
        arguments: [1, 1000, Int(Int32.max), Int.max]
    )
    func timeouts(milliseconds: Int) async throws {
        let deadline = Locked<Deadline?>(nil)
        let clock = ManualClock()
        let fixture = try HandlerFixture(clock: clock) { _, context in
            deadline.withLock { $0 = context.deadline }
            return ""
        }
        let port = fixture.port
        try await blocking {
            let raw = try RawSocket(port: port)
            try raw.send(try Frames.echo(timeout: milliseconds))
            #expect(try raw.receiveAnswer().type == .reply)
            raw.close()
        }
        #expect(deadline.withLock { $0 } == clock.deadline(after: .milliseconds(milliseconds)))
        await fixture.finish(clock)
    }

    @Test("that its time is up is told to a caller once it must know, or at once if it cannot")
    func lateAnswer() async throws {
        let clock = ManualClock()
        let gate = Gate()
        var options = RPCServerOptions()
        options.deadlines.limit = .milliseconds(200)
        let fixture = try HandlerFixture(options, clock: clock) { request, _ in
            if !request.msg.isEmpty { try await gate.waitOrCancel() }
            return ""
        }
        let port = fixture.port
        let raw = try await blocking { try RawSocket(port: port) }
        // The first asks for 100 ms and gets it, the second for more than it gets.
        for (sequenceID, timeout, allowed) in [(Int32(1), 100, 100), (2, 300, 200)] {
            try await blocking { try raw.send(try Frames.echo(sequenceID, timeout: timeout)) }
            try await eventually("it runs") { fixture.server.callCount == 1 }
            for loop in fixture.loops.loops { await loop.turn() }
            await clock.advance(by: .milliseconds(allowed))
            try await eventually("it has ended") { fixture.server.callCount == 0 }
            // Another call shows whether the answer has come yet.
            let first = try await blocking {
                try raw.send(try Frames.echo(7, messageByteCount: 0))
                return try raw.receiveAnswer()
            }
            await clock.advance(by: .milliseconds(50))
            let second = try await blocking { try raw.receiveAnswer() }
            let isCallers = timeout == allowed
            let order = isCallers ? [7, sequenceID] : [sequenceID, 7]
            #expect([first, second].map(\.sequenceID) == order)
            #expect((isCallers ? second : first).type == .exception)
        }
        raw.close()
        await fixture.finish(clock)
    }

    // Row C7.
    @Test("a caller that does not take its reply holds up no other on its connection")
    func slowCaller() async throws {
        let text = String(repeating: "x", count: 1_000_000)
        let fixture = try HandlerFixture { request, _ in
            request.msg == "large" ? text : "small"
        }
        var poolOptions = WorkerPoolOptions()
        poolOptions.threadLimit = 1
        let pool = WorkerPool(options: poolOptions)
        let parking = Parking()
        let echo = try fixture.echo()
        let sent = Counter()
        // It runs on the pool's one thread, which is busy when the reply comes.
        let slow = Task(executorPreference: pool) {
            sent.increment()
            return try await echo.echo(.with { $0.msg = "large" }).msg
        }
        try await eventually("it has begun") { sent.value == 1 }
        let block = Task(executorPreference: pool) { parking.wait() }
        for _ in 0..<100 { #expect(try await echo.echo(.init()).msg == "small") }
        #expect(fixture.server.connectionCount == 1)
        parking.open()
        await block.value
        #expect(try await slow.value == text)
        await fixture.stop()
        await pool.shutdown()
    }

    // Row C6.
    @Test("a handler that never ends is its caller's no longer than the deadline")
    func hanging() async throws {
        let clock = ManualClock()
        let gate = Gate()
        let fixture = try HandlerFixture(clock: clock) { request, _ in
            if request.msg == "hang" { await gate.wait() }
            return "done"
        }
        let echo = try fixture.echo()
        let call = Task {
            try await echo.echo(.with { $0.msg = "hang" }, timeout: .seconds(5))
        }
        try await eventually("it runs") { fixture.server.callCount == 1 }
        for loop in fixture.loops.loops { await loop.turn() }
        await clock.advance(by: .seconds(5))
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.code == .deadlineExceeded)
        #expect(fixture.server.callCount == 1)
        #expect(try await echo.echo(.init()).msg == "done")
        gate.open()
        try await eventually("it has ended") { fixture.server.callCount == 0 }
        // Its late reply went to nobody.
        #expect(try await echo.echo(.init()).msg == "done")
        await fixture.finish(clock)
    }

    // Row C3.
    @Test(
        "the server is told of a call that is given up: at once, or when its connection closes",
        arguments: CallTests.modes
    )
    func givenUp(mode: RPCClientOptions.Connections) async throws {
        let (gate, cancelled) = (Gate(), Counter())
        let fixture = try HandlerFixture { request, _ in
            guard request.msg.isEmpty else { return "done" }
            do {
                try await gate.waitOrCancel()
            } catch {
                cancelled.increment()
            }
            return ""
        }
        var clientOptions = RPCClientOptions()
        clientOptions.connections = mode
        let client = try RPCClient(
            to: fixture.address,
            options: clientOptions,
            group: fixture.loops
        )
        let echo = Echo_EchoClient(client)
        // Its timeout is so long that only the end of the connection can cancel the handler.
        let call = Task { try await echo.echo(.init(), timeout: .seconds(600)) }
        try await eventually("it runs") { fixture.server.callCount == 1 }
        call.cancel()
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.code == .cancelled)
        #expect(try await echo.echo(.with { $0.msg = "next" }).msg == "done")
        if case .multiplexed = mode {
            // The connection serves others and stays.
            #expect(cancelled.value == 0)
            await client.close()
        }
        try await eventually("the handler was cancelled") { cancelled.value == 1 }
        await client.close()
        await fixture.stop()
    }
}
