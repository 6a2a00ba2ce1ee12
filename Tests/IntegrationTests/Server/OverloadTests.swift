import NetpollCore
import NetpollProtobuf
import NetpollTesting
import TestProtos
import TestSupport
import Testing

@testable import NetpollRPC

@Suite("Servers with more calls than they take", .timeLimit(.minutes(2)))
struct OverloadTests {
    @Test("a server's limit holds over all its connections and advises another server")
    func serverLimit() async throws {
        var options = RPCServerOptions()
        options.serverInFlightLimit = 3
        let gate = Gate()
        let fixture = try HandlerFixture(options) { _, _ in
            await gate.wait()
            return "done"
        }
        let (one, two) = (try fixture.echo(), try fixture.echo())
        let calls = [one, one, two].map { echo in Task { try await echo.echo(.init()).msg } }
        try await eventually("three run") { fixture.server.callCount == 3 }
        for echo in [one, two] {
            let error = try await refusal(echo)
            #expect(error.code == .resourceExhausted)
            #expect(error.retry == .elsewhere)
            #expect(error.message.contains("request over limit"))
        }
        gate.open()
        for call in calls { #expect(try await call.value == "done") }
        #expect(try await two.echo(.init()).msg == "done")
        await fixture.stop()
        #expect(fixture.server.callCount == 0)
    }

    @Test("a rate limit takes a burst, refuses the rest and advises to come back later")
    func rate() async throws {
        let clock = ManualClock()
        var options = RPCServerOptions()
        options.rateLimit = RateLimit(callsPerSecond: 10, burst: 2)
        let fixture = try HandlerFixture(options, clock: clock) { _, _ in "done" }
        let echo = try fixture.echo()
        for _ in 0..<2 { #expect(try await echo.echo(.init()).msg == "done") }
        let error = try await refusal(echo)
        #expect(error.code == .resourceExhausted)
        #expect(error.retry == .later)
        await clock.advance(by: .milliseconds(100))
        #expect(try await echo.echo(.init()).msg == "done")
        _ = try await refusal(echo)
        #expect(fixture.server.callCount == 0)
        await fixture.finish(clock)
    }

    /// Calls wait for the one thread of a pool; the clock says for how long.
    @Test("calls that wait too long for a thread are refused, until calls start in time again")
    func adaptive() async throws {
        let clock = ManualClock()
        var poolOptions = WorkerPoolOptions()
        poolOptions.threadLimit = 1
        let pool = WorkerPool(options: poolOptions)
        var options = RPCServerOptions()
        options.execution = .workers(pool)
        options.adaptiveLimit = AdaptiveLimit()
        let (ran, turns) = (Counter(), Parking())
        let fixture = try HandlerFixture(options, clock: clock) { _, _ in
            ran.increment()
            turns.waitForTurn()
            return ""
        }
        let echo = try fixture.echo()
        let first = Task { try await echo.echo(.init()) }
        try await eventually("the first runs") { ran.value == 1 }
        let calls = (0..<10).map { _ in Task { try await echo.echo(.init()) } }
        try await eventually("the others wait") { fixture.server.callCount == 11 }
        // One that has waited for long may run, but not after a whole interval without any in time.
        for number in 2...3 {
            await clock.advance(by: .milliseconds(60))
            turns.admitOne()
            try await eventually("the next runs") { ran.value == number }
        }
        for _ in 0..<2 { await clock.advance(by: .milliseconds(45)) }
        turns.admitOne()
        _ = try await first.value
        var refused = 0
        for call in calls {
            do {
                _ = try await call.value
            } catch let error as RPCError {
                #expect(error.code == .resourceExhausted)
                #expect(error.retry == .elsewhere)
                refused += 1
            }
        }
        #expect(refused == 8)
        turns.admitOne()
        _ = try await echo.echo(.init())
        try await eventually("all have ended") { fixture.server.callCount == 0 }
        await fixture.finish(clock)
        await pool.shutdown()
    }

    // Row A17.
    @Test("calls that are given up hold their slots until their handlers have ended")
    func cancelFlood() async throws {
        var options = RPCServerOptions()
        options.inFlightLimit = 8
        let (gate, ran) = (Gate(), Counter())
        let fixture = try HandlerFixture(options) { _, _ in
            ran.increment()
            await gate.wait()
            return "done"
        }
        let port = fixture.port
        // A deadline of 1 ms cancels each handler at once, and each goes on all the same.
        try await blocking {
            let raw = try RawSocket(port: port)
            for number in 1...100 { try raw.send(try Frames.echo(Int32(number), timeout: 1)) }
            for _ in 0..<92 {
                let answer = try raw.receiveAnswer()
                #expect(answer.error?.code == .resourceExhausted)
                #expect(answer.error?.retry == .elsewhere)
            }
            gate.open()
            for _ in 0..<8 { _ = try raw.receiveAnswer() }
            try raw.send(try Frames.echo(200))
            #expect(try raw.receiveAnswer().type == .reply)
            raw.close()
        }
        #expect(ran.value == 9)
        await fixture.stop()
    }

    // Row A17, with connections that are dropped.
    @Test("handlers whose callers left count for the server until they end")
    func leaveFlood() async throws {
        var options = RPCServerOptions()
        options.serverInFlightLimit = 4
        let gate = Gate()
        let fixture = try HandlerFixture(options) { _, _ in
            await gate.wait()
            return "done"
        }
        let port = fixture.port
        for _ in 0..<4 {
            let before = fixture.server.callCount
            let raw = try await blocking {
                let raw = try RawSocket(port: port)
                try raw.send(try Frames.echo())
                return raw
            }
            try await eventually("its call runs") { fixture.server.callCount == before + 1 }
            raw.reset()
        }
        try await eventually("all have left") { fixture.server.connectionCount == 0 }
        #expect(fixture.server.callCount == 4)
        #expect(try await refusal(fixture.echo()).code == .resourceExhausted)
        gate.open()
        try await eventually("all have ended") { fixture.server.callCount == 0 }
        await fixture.stop()
    }

    @Test("a call that is late already does not run when the server looks at waiting times")
    func lateCall() async throws {
        let clock = ManualClock()
        var poolOptions = WorkerPoolOptions()
        poolOptions.threadLimit = 1
        let pool = WorkerPool(options: poolOptions)
        var options = RPCServerOptions()
        options.execution = .workers(pool)
        options.adaptiveLimit = AdaptiveLimit()
        let (ran, turns) = (Counter(), Parking())
        let fixture = try HandlerFixture(options, clock: clock) { _, _ in
            ran.increment()
            turns.waitForTurn()
            return ""
        }
        let port = fixture.port
        let raw = try await blocking {
            let raw = try RawSocket(port: port)
            try raw.send(try Frames.echo(1) + Frames.echo(2, timeout: 50))
            return raw
        }
        try await eventually("both are there") { fixture.server.callCount == 2 && ran.value == 1 }
        await clock.advance(by: .milliseconds(50))
        turns.admitOne()
        try await eventually("both have ended") { fixture.server.callCount == 0 }
        for loop in fixture.loops.loops { await loop.turn() }
        await clock.advance(by: .milliseconds(50))
        let answers = try await blocking { [try raw.receiveAnswer(), try raw.receiveAnswer()] }
        #expect(answers.first { $0.sequenceID == 2 }?.error?.code == .deadlineExceeded)
        #expect(ran.value == 1)
        raw.close()
        await fixture.finish(clock)
        await pool.shutdown()
    }

    // Row C9, in short: ten times more calls than the one thread can do.
    @Test("an overloaded server does useful work, refuses quickly, and recovers")
    func goodput() async throws {
        var poolOptions = WorkerPoolOptions()
        poolOptions.threadLimit = 1
        poolOptions.queueLimit = 20
        let pool = WorkerPool(options: poolOptions)
        var options = RPCServerOptions()
        options.execution = .workers(pool)
        options.adaptiveLimit = AdaptiveLimit()
        let done = Counter()
        let fixture = try HandlerFixture(options) { _, _ in
            let end = Deadline.after(.microseconds(200))
            while Deadline.now() < end {}
            done.increment()
            return "done"
        }
        let echo = try fixture.echo()
        let (succeeded, refused) = (Counter(), Counter())
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    for _ in 0..<50 {
                        do {
                            _ = try await echo.echo(.init())
                            succeeded.increment()
                        } catch let error as RPCError where error.code == .resourceExhausted {
                            refused.increment()
                        } catch {
                            Issue.record(error)
                        }
                    }
                }
            }
        }
        #expect(succeeded.value + refused.value == 2000)
        #expect(refused.value > 0)
        #expect(succeeded.value == done.value, "no work was done in vain")
        #expect(succeeded.value > 20, "at least those that fit the queue")
        #expect(try await echo.echo(.init()).msg == "done")
        await fixture.stop()
        await pool.shutdown()
    }
}
