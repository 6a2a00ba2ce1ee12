import Glibc
import NetpollCore
import NetpollProtobuf
import NetpollTesting
import TestProtos
import TestSupport
import Testing

@testable import NetpollRPC

@Suite("Where handlers run", .timeLimit(.minutes(2)))
struct ExecutionTests {
    private func options(
        _ pool: WorkerPool,
        for name: String? = nil
    ) -> RPCServerOptions {
        var options = RPCServerOptions()
        if let name {
            options.methodExecution[name] = .workers(pool)
        } else {
            options.execution = .workers(pool)
        }
        return options
    }

    @Test(
        "a method's handlers run on its pool, by server, service or method, and others on the loop",
        arguments: [
            (nil, true), ("echo.Echo", true), ("echo.Echo/Echo", true), ("echo.Echo/Sleep", false),
        ] as [(String?, Bool)]
    )
    func choice(name: String?, isOnPool: Bool) async throws {
        let pool = WorkerPool()
        let group = Locked<EventLoopGroup?>(nil)
        let fixture = try HandlerFixture(options(pool, for: name)) { _, _ in
            let loops = group.withLock { $0 }?.loops ?? []
            return loops.contains { $0.isCurrent } ? "loop" : "pool"
        }
        group.withLock { $0 = fixture.loops }
        let reply = try await fixture.echo().echo(.init())
        #expect(reply.msg == (isOnPool ? "pool" : "loop"))
        #expect((pool.statistics.threadCount > 0) == isOnPool)
        await fixture.stop()
        await pool.shutdown()
    }

    @Test("a method's choice counts more than its service's")
    func precedence() async throws {
        let pool = WorkerPool()
        var options = options(pool)
        options.methodExecution["echo.Echo"] = .workers(pool)
        options.methodExecution["echo.Echo/Echo"] = .loop
        let fixture = try HandlerFixture(options) { _, _ in "x" }
        _ = try await fixture.echo().echo(.init())
        #expect(pool.statistics.threadCount == 0)
        _ = try await fixture.echo().sleep(.init())
        #expect(pool.statistics.threadCount == 1)
        await fixture.stop()
        await pool.shutdown()
    }

    @Test("a name that is not served is refused at the start")
    func mistake() throws {
        var options = RPCServerOptions()
        options.methodExecution["echo.Echo/Ecco"] = .loop
        let error = #expect(throws: RPCError.self) {
            try RPCServer(services: [Handler { _, _ in "" }], options: options).start(on: [])
        }
        #expect(error?.message.contains("echo.Echo/Ecco") == true)
    }

    // Row C1, on a pool.
    @Test(
        "the caller's deadline and its leaving cancel a handler on a pool",
        arguments: [true, false]
    )
    func cancellation(byDeadline: Bool) async throws {
        let clock = ManualClock()
        let pool = WorkerPool()
        let gate = Gate()
        let (began, cancelled) = (Counter(), Counter())
        let fixture = try HandlerFixture(options(pool), clock: clock) { _, _ in
            began.increment()
            do { try await gate.waitOrCancel() } catch { cancelled.increment() }
            throw CancellationError()
        }
        let port = fixture.port
        let raw = try await blocking {
            let raw = try RawSocket(port: port)
            try raw.send(try Frames.echo(timeout: 5000))
            return raw
        }
        try await eventually("the call runs") { began.value == 1 }
        // Its timer is set by the loop that has just started it.
        for loop in fixture.loops.loops { await loop.turn() }
        if byDeadline { await clock.advance(by: .seconds(5)) } else { raw.reset() }
        try await eventually("the handler has ended") { fixture.server.callCount == 0 }
        #expect(cancelled.value == 1)
        if byDeadline {
            // The answer waits a moment for the caller's own timer.
            for loop in fixture.loops.loops { await loop.turn() }
            await clock.advance(by: .milliseconds(50))
            let answer = try await blocking { try raw.receiveAnswer() }
            #expect(answer.error?.code == .deadlineExceeded)
            raw.close()
        }
        await fixture.finish(clock)
        await pool.shutdown()
    }

    @Test("a call whose caller gave up while it waited for a thread does not run")
    func abandoned() async throws {
        let clock = ManualClock()
        var poolOptions = WorkerPoolOptions()
        poolOptions.threadLimit = 1
        let pool = WorkerPool(options: poolOptions)
        let (release, ran) = (Parking(), Counter())
        let fixture = try HandlerFixture(options(pool), clock: clock) { _, _ in
            ran.increment()
            release.wait()
            return ""
        }
        let echo = try fixture.echo()
        let first = Task { try await echo.echo(.init(), timeout: .seconds(100)) }
        try await eventually("the first runs") { ran.value == 1 }
        let second = Task { try await echo.echo(.init(), timeout: .seconds(5)) }
        try await eventually("the second waits") { fixture.server.callCount == 2 }
        for loop in fixture.loops.loops { await loop.turn() }
        await clock.advance(by: .seconds(5))
        await #expect(throws: RPCError.self) { try await second.value }
        release.open()
        _ = try await first.value
        try await eventually("both have ended") { fixture.server.callCount == 0 }
        #expect(ran.value == 1)
        await fixture.finish(clock)
        await pool.shutdown()
    }

    @Test("a pool whose queue is full refuses the call and advises another server")
    func fullPool() async throws {
        var poolOptions = WorkerPoolOptions()
        poolOptions.threadLimit = 1
        poolOptions.queueLimit = 2
        let pool = WorkerPool(options: poolOptions)
        let (release, ran) = (Parking(), Counter())
        let fixture = try HandlerFixture(options(pool)) { _, _ in
            ran.increment()
            release.wait()
            return ""
        }
        let echo = try fixture.echo()
        let first = Task { try await echo.echo(.init()) }
        try await eventually("the first runs") { ran.value == 1 }
        let waiting = (0..<2).map { _ in Task { try await echo.echo(.init()) } }
        try await eventually("two wait") { fixture.server.callCount == 3 }
        let error = try await refusal(echo)
        #expect(error.code == .resourceExhausted)
        #expect(error.retry == .elsewhere)
        release.open()
        for call in waiting + [first] { _ = try await call.value }
        try await eventually("all have ended") { fixture.server.callCount == 0 }
        await fixture.stop()
        await pool.shutdown()
    }
}

/// The error of a call that must fail.
func refusal(_ echo: Echo_EchoClient) async throws -> RPCError {
    try #require(await #expect(throws: RPCError.self) { try await echo.echo(.init()) })
}

/// Blocks threads until it is opened: what a blocking handler does.
final class Parking: @unchecked Sendable {
    // @unchecked: a POSIX semaphore is there to be shared.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit { semaphore.deallocate() }

    func wait() {
        sem_wait(semaphore)
        sem_post(semaphore)
    }

    /// Lets all pass, now and later.
    func open() { sem_post(semaphore) }

    /// Waits for a turn that ``admitOne()`` gives.
    func waitForTurn() { sem_wait(semaphore) }

    func admitOne() { sem_post(semaphore) }
}

extension HandlerFixture {
    /// Ends the server under a clock that stands still.
    func finish(_ clock: ManualClock) async {
        let server = server
        async let ended: Void = server.shutdown()
        while server.connectionCount > 0 { await clock.advance(by: .milliseconds(100)) }
        await ended
        await loops.shutdown()
    }
}
