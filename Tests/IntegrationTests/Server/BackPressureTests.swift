import NetpollCore
import NetpollProtobuf
import NetpollTesting
import TestProtos
import TestSupport
import Testing

@testable import NetpollRPC

/// A peer asks for more than it reads, of a server that holds little for it.
///
/// No loop is taken over: under load that would start a call while the one before still writes.
@Suite("Peers that do not read their replies", .timeLimit(.minutes(2)))
struct BackPressureTests {
    private static let replyByteCount = 64 << 10
    /// Replies that fit below the mark and in the kernel's buffers, generously.
    private static let replyLimit = 24
    private static let requestCount = 60

    /// Keeps what the server and the kernel hold for a peer small.
    private static func hold(little options: inout RPCServerOptions) {
        options.listener.connection.writeHighWaterMark = 64 << 10
        options.listener.connection.sendBufferSize = 16 << 10
    }

    /// What runs handlers, if not the loop.
    private static func makePool(_ isUsed: Bool, _ options: inout RPCServerOptions) -> WorkerPool? {
        guard isUsed else { return nil }
        var poolOptions = WorkerPoolOptions()
        poolOptions.threadLimit = 2
        let pool = WorkerPool(options: poolOptions)
        options.execution = .workers(pool)
        return pool
    }

    /// A peer that has sent its requests, in one piece.
    private static func sendRequests(_ fixture: HandlerFixture, timeout: Int? = nil) async throws
        -> RawSocket
    {
        let port = fixture.port
        return try await blocking {
            let raw = try RawSocket(port: port, receiveBuffer: 16 << 10)
            try raw.send(
                try (1...requestCount).flatMap { try Frames.echo(Int32($0), timeout: timeout) }
            )
            return raw
        }
    }

    private static let longReply = String(repeating: "r", count: replyByteCount)

    /// Returns once the server holds more than its mark for its only connection, and none of its
    /// handlers runs.
    private static func stall(_ fixture: HandlerFixture) async throws {
        let end = Deadline.after(.seconds(30))
        while await !isStalled(fixture) {
            try #require(Deadline.now() < end, "the peer was never held back")
            await Task.yield()
        }
    }

    private static func isStalled(_ fixture: HandlerFixture) async -> Bool {
        await ask(fixture) {
            $0.connection.hasExcessOutput && $0.running.count == $0.heldWorkers.count
        }
    }

    /// Asks the session of the only connection, on its loop; false if there is none.
    private static func ask(
        _ fixture: HandlerFixture,
        _ question: @escaping @Sendable (ServerSession) -> Bool
    ) async -> Bool {
        let sessions = fixture.server.state.withLock { Array($0.sessions.values) }
        guard let session = sessions.first else { return false }
        let waiter = Waiter<Bool>()
        session.connection.loop.execute { waiter.finish(.success(question(session))) }
        return (try? await waiter.wait(begin: {}, onCancel: {})) ?? false
    }

    @Test(
        "no more of its calls are started until it has read, and then all are answered",
        arguments: [false, true]
    )
    func heldBack(onPool: Bool) async throws {
        var options = RPCServerOptions()
        Self.hold(little: &options)
        let pool = Self.makePool(onPool, &options)
        let ran = Counter()
        let fixture = try HandlerFixture(options, takeOverThreshold: nil) { _, _ in
            ran.increment()
            return Self.longReply
        }
        let raw = try await Self.sendRequests(fixture)
        try await Self.stall(fixture)
        #expect(ran.value < Self.replyLimit)
        #expect(fixture.server.callCount >= Self.requestCount - Self.replyLimit)
        try await blocking {
            var answered: Set<Int32> = []
            for _ in 1...Self.requestCount {
                let answer = try raw.receiveAnswer()
                #expect(answer.body.count > Self.replyByteCount)
                answered.insert(answer.sequenceID)
            }
            #expect(answered.count == Self.requestCount)
        }
        #expect(ran.value == Self.requestCount)
        try await eventually("all have ended") { fixture.server.callCount == 0 }
        raw.close()
        await fixture.stop()
        await pool?.shutdown()
    }

    @Test("what it keeps waiting ends at its deadline", arguments: [false, true])
    func deadlines(onPool: Bool) async throws {
        let clock = ManualClock()
        var options = RPCServerOptions()
        Self.hold(little: &options)
        let pool = Self.makePool(onPool, &options)
        let ran = Counter()
        let fixture = try HandlerFixture(options, clock: clock, takeOverThreshold: nil) { _, _ in
            ran.increment()
            return Self.longReply
        }
        let raw = try await Self.sendRequests(fixture, timeout: 5000)
        try await Self.stall(fixture)
        let ranCount = ran.value
        await clock.advance(by: .milliseconds(4999))
        #expect(fixture.server.callCount == Self.requestCount - ranCount)
        await clock.advance(by: .milliseconds(1))
        try await eventually("they have ended") { fixture.server.callCount == 0 }
        // The answers wait for the caller's own timer.
        for loop in fixture.loops.loops { await loop.turn() }
        await clock.advance(by: .milliseconds(50))
        try await blocking {
            var lateCount = 0
            for _ in 1...Self.requestCount {
                guard let error = try raw.receiveAnswer().error else { continue }
                #expect(error.code == .deadlineExceeded)
                lateCount += 1
            }
            #expect(lateCount == Self.requestCount - ranCount)
        }
        #expect(ran.value == ranCount)
        raw.close()
        await fixture.finish(clock)
        await pool?.shutdown()
    }

    @Test("it loses its connection by the stall timeout, and its calls with it")
    func stallTimeout() async throws {
        let clock = ManualClock()
        var options = RPCServerOptions()
        Self.hold(little: &options)
        let ran = Counter()
        let fixture = try HandlerFixture(options, clock: clock, takeOverThreshold: nil) { _, _ in
            ran.increment()
            return Self.longReply
        }
        let raw = try await Self.sendRequests(fixture)
        try await Self.stall(fixture)
        await clock.advance(by: .seconds(29))
        #expect(fixture.server.connectionCount == 1)
        await clock.advance(by: .seconds(1))
        try await eventually("it is closed") { fixture.server.connectionCount == 0 }
        #expect(fixture.server.callCount == 0)
        #expect(ran.value < Self.replyLimit)
        raw.close()
        await fixture.finish(clock)
    }

    @Test("a request of which the server has read a part is not late until it reads again")
    func frameTimeout() async throws {
        let clock = ManualClock()
        var options = RPCServerOptions()
        Self.hold(little: &options)
        options.listener.connection.stallTimeout = nil
        let fixture = try HandlerFixture(options, clock: clock, takeOverThreshold: nil) {
            request,
            _ in
            request.msg.count == 1 ? String(repeating: "r", count: 8 << 20) : Self.longReply
        }
        let (port, server) = (fixture.port, fixture.server)
        let whole = try Frames.echo(2, messageByteCount: 2)
        let raw = try await blocking {
            let raw = try RawSocket(port: port, receiveBuffer: 16 << 10)
            try raw.send(try Frames.echo(1, messageByteCount: 1) + whole.prefix(20))
            return raw
        }
        try await Self.stall(fixture)
        for _ in 1...10 { await clock.advance(by: .seconds(19)) }
        #expect(server.connectionCount == 1)
        let first = try await blocking { try raw.receiveAnswer() }
        #expect(first.sequenceID == 1)
        // The drain gives the frame its time again.
        try await Self.resume(fixture)
        await clock.advance(by: .seconds(19))
        try await blocking {
            try raw.send(whole.dropFirst(20))
            #expect(try raw.receiveAnswer().sequenceID == 2)
            try raw.send(whole.prefix(20))
        }
        try await Self.resume(fixture)
        await clock.advance(by: .seconds(19))
        #expect(server.connectionCount == 1)
        await clock.advance(by: .seconds(1))
        let last = try await blocking { try raw.receiveEnd() }
        #expect(last == .finished)
        raw.close()
        await fixture.finish(clock)
    }

    /// Returns once the server reads from its only connection, and has a part of a frame.
    private static func resume(_ fixture: HandlerFixture) async throws {
        let end = Deadline.after(.seconds(30))
        while await !ask(fixture, { $0.isReading && $0.watched == .frame }) {
            try #require(Deadline.now() < end, "nothing was read any more")
            await Task.yield()
        }
    }

    @Test("it does not keep a server from ending", arguments: [false, true])
    func shutdown(onPool: Bool) async throws {
        let clock = ManualClock()
        var options = RPCServerOptions()
        Self.hold(little: &options)
        let pool = Self.makePool(onPool, &options)
        let ran = Counter()
        let fixture = try HandlerFixture(options, clock: clock, takeOverThreshold: nil) { _, _ in
            ran.increment()
            return Self.longReply
        }
        let raw = try await Self.sendRequests(fixture)
        try await Self.stall(fixture)
        let server = fixture.server
        async let ended: Void = server.shutdown()
        try await eventually("the server drains") { server.runningGroup == nil }
        await clock.advance(by: .milliseconds(4999))
        #expect(server.callCount >= Self.requestCount - Self.replyLimit)
        // A second after the calls were cancelled, connections are cut off.
        while server.connectionCount > 0 { await clock.advance(by: .milliseconds(100)) }
        await ended
        #expect(server.callCount == 0)
        #expect(ran.value < Self.replyLimit)
        raw.close()
        await fixture.loops.shutdown()
        await pool?.shutdown()
    }

    @Test(
        "that its calls wait for it is no sign of an overload",
        arguments: [false, true]
    )
    func adaptiveLimit(onPool: Bool) async throws {
        let clock = ManualClock()
        var options = RPCServerOptions()
        Self.hold(little: &options)
        options.adaptiveLimit = AdaptiveLimit()
        let pool = Self.makePool(onPool, &options)
        let ran = Counter()
        let fixture = try HandlerFixture(options, clock: clock, takeOverThreshold: nil) { _, _ in
            ran.increment()
            return Self.longReply
        }
        let raw = try await Self.sendRequests(fixture)
        try await Self.stall(fixture)
        for _ in 1...Self.requestCount {
            await clock.advance(by: .milliseconds(60))
            let answer = try await blocking { try raw.receiveAnswer() }
            #expect(answer.type == .reply)
        }
        #expect(ran.value == Self.requestCount)
        raw.close()
        await fixture.finish(clock)
        await pool?.shutdown()
    }
}
