import NetpollTesting
import Synchronization
import Testing

@testable import NetpollCore

/// A server that can be restarted at its address, and a pool of connections to it.
private final class PoolFixture: Sendable {
    let address: SocketAddress
    let group: EventLoopGroup
    let pool: ConnectionPool<Connection>
    let dialCount: Shared<Int>
    private let server: Locked<EventLoopGroup?>

    init(
        options: PoolOptions = PoolOptions(),
        clock: ManualClock? = nil,
        loopCount: Int = 2
    ) async throws {
        let servers = try EventLoopGroup(count: 1)
        let listener = try Listener(on: .tcp(host: "127.0.0.1", port: 0), group: servers) { _ in
            Echo()
        }
        let address = listener.localAddress
        let group = try EventLoopGroup(
            count: loopCount,
            options: clock?.options ?? EventLoopGroupOptions()
        )
        let dialer = Dialer(group: group, connectTimeout: .seconds(10))
        let dials = Shared(0)
        pool = ConnectionPool(group: group, options: options) { completion in
            dials.update { $0 += 1 }
            dialer.dial(address, completion: completion)
        }
        self.address = address
        self.group = group
        dialCount = dials
        server = Locked(servers)
    }

    /// Ends the server and all its connections, as the end of its process does.
    func stopServer() async { await server.withLock { $0.take() }?.shutdown() }

    func startServer() throws {
        let servers = try EventLoopGroup(count: 1)
        _ = try Listener(on: address, group: servers) { _ in Echo() }
        server.withLock { $0 = servers }
    }

    func end() async {
        pool.close()
        await group.shutdown()
        await stopServer()
    }
}

extension Connection {
    /// Whether the peer answers.
    fileprivate func echoes() async throws -> Bool {
        try await write([7])
        return Array(try await read(count: 1, deadline: .after(.seconds(20)))) == [7]
    }
}

@Suite("ConnectionPool", .timeLimit(.minutes(1)))
struct ConnectionPoolTests {
    private func checkOut(_ count: Int, _ pool: ConnectionPool<Connection>) async throws
        -> [Connection]
    {
        var lent: [Connection] = []
        for _ in 0..<count { lent.append(try await pool.checkOut()) }
        return lent
    }

    // Row B4.
    @Test("a restarted server's dead connections leave within 100 ms, and nobody is lent one")
    func restart() async throws {
        let fixture = try await PoolFixture()
        let pool = fixture.pool
        var times: [Duration] = []
        var old: Set<ObjectIdentifier> = []
        var kept: [Connection] = []
        for _ in 0..<5 {
            let lent = try await checkOut(16, pool)
            for connection in lent {
                #expect(!old.contains(ObjectIdentifier(connection)), "a dead one was lent")
                #expect(try await connection.echoes())
            }
            for connection in lent { pool.checkIn(connection) }
            #expect(pool.statistics.idle == 16)
            // Kept, so that no later one has the same identity.
            kept += lent
            old.formUnion(lent.map { ObjectIdentifier($0) })
            await fixture.stopServer()
            let start = ContinuousClock.now
            try await eventually("they leave") { pool.statistics.idle == 0 }
            times.append(ContinuousClock.now - start)
            try await eventually("they are gone") { pool.statistics.live == 0 }
            try fixture.startServer()
        }
        // The best of five, because a busy machine may hold up any one of them.
        #expect(times.min() ?? .seconds(1) <= .milliseconds(100), "\(times)")
        withExtendedLifetime(kept) {}
        await fixture.end()
    }

    // Row B5, as far as the core goes.
    @Test("callers under load fail at once while the server restarts, and succeed soon after")
    func restartUnderLoad() async throws {
        var options = PoolOptions()
        options.connectionLimit = 4
        let fixture = try await PoolFixture(options: options)
        let isOver = Shared(false)
        let answers = Shared(0)
        let pool = fixture.pool
        let callers = (0..<8).map { _ in
            Task {
                var longest = Duration.zero
                while !isOver.value {
                    let start = ContinuousClock.now
                    defer { longest = max(longest, ContinuousClock.now - start) }
                    do {
                        let connection = try await pool.checkOut(deadline: .after(.seconds(20)))
                        guard try await connection.echoes() else { continue }
                        pool.checkIn(connection)
                        answers.update { $0 += 1 }
                    } catch {
                        try await fixture.group.loops[0].sleep(until: .after(.milliseconds(1)))
                    }
                }
                return longest
            }
        }
        try await eventually("calls succeed") { answers.value > 100 }
        await fixture.stopServer()
        try await eventually("dials fail") { pool.statistics.failedDials >= 3 }
        try fixture.startServer()
        let start = ContinuousClock.now
        let before = answers.value
        try await eventually("calls succeed again") { answers.value > before + 100 }
        // The longest back-off is 600 ms; the rest is for a busy machine.
        #expect(ContinuousClock.now - start < .seconds(5))
        isOver.update { $0 = true }
        // Nobody waited for a server that was not there.
        for caller in callers { #expect(try await caller.value < .seconds(5)) }
        await fixture.end()
    }

    @Test("at the limit callers wait in turn, for a connection, their deadline or cancellation")
    func waiting() async throws {
        let clock = ManualClock()
        var options = PoolOptions()
        options.connectionLimit = 1
        let fixture = try await PoolFixture(options: options, clock: clock, loopCount: 1)
        let pool = fixture.pool
        let first = try await pool.checkOut()
        func wait(_ deadline: Deadline) async throws -> Task<Connection, any Error> {
            let before = pool.statistics.waiting
            let task = Task { try await pool.checkOut(deadline: deadline) as Connection }
            try await eventually("it waits") { pool.statistics.waiting == before + 1 }
            return task
        }
        let patient = try await wait(.distantFuture)
        let late = try await wait(clock.deadline(after: .seconds(1)))
        let cancelled = try await wait(.distantFuture)
        cancelled.cancel()
        let cancellation = await #expect(throws: NetpollError.self) { try await cancelled.value }
        #expect(cancellation?.code == .cancelled)
        #expect(pool.statistics.waiting == 2)
        await clock.advance(by: .seconds(1))
        let timeout = await #expect(throws: NetpollError.self) { try await late.value }
        #expect(timeout?.code == .timedOut)
        pool.checkIn(first)
        #expect(try await patient.value === first)
        #expect(pool.statistics.live == 1 && fixture.dialCount.value == 1)
        let last = try await wait(.distantFuture)
        pool.close()
        let closed = await #expect(throws: NetpollError.self) { try await last.value }
        #expect(closed?.code == .shutdown)
        pool.checkIn(first)
        #expect(!first.isActive)
        await fixture.end()
    }

    @Test("the connection used last is lent first; those that are idle too long are closed")
    func idle() async throws {
        let clock = ManualClock()
        var options = PoolOptions()
        options.idleTimeout = .seconds(60)
        let fixture = try await PoolFixture(options: options, clock: clock, loopCount: 1)
        let pool = fixture.pool
        let lent = try await checkOut(3, pool)
        for connection in lent { pool.checkIn(connection) }
        await clock.advance(by: .seconds(40))
        #expect(try await pool.checkOut() === lent[2])
        pool.checkIn(lent[2])
        #expect(pool.statistics.idle == 3 && pool.statistics.reused == 1)
        await clock.advance(by: .seconds(21))
        #expect(pool.statistics.idle == 1)
        #expect(lent.map(\.isActive) == [false, false, true])
        await clock.advance(by: .seconds(40))
        #expect(pool.statistics.idle == 0 && !lent[2].isActive)
        await fixture.end()
    }

    @Test("the minimum is dialled before anybody asks, and again when it is lost")
    func minimum() async throws {
        var options = PoolOptions()
        options.minimumIdle = 3
        let fixture = try await PoolFixture(options: options)
        let pool = fixture.pool
        try await eventually("it is warm") { pool.statistics.idle == 3 }
        let one = try await pool.checkOut()
        try await eventually("another takes its place") { pool.statistics.idle == 3 }
        one.abort()
        await fixture.stopServer()
        try await eventually("all are lost") { pool.statistics.live == 0 }
        try fixture.startServer()
        try await eventually("they are dialled again") { pool.statistics.idle == 3 }
        #expect(try await pool.checkOut().echoes())
        await fixture.end()
    }

    @Test("a pool has one timer, however many deadlines its callers bring")
    func timers() async throws {
        let clock = ManualClock()
        let fixture = try await PoolFixture(clock: clock, loopCount: 1)
        let pool = fixture.pool
        for _ in 0..<200 {
            let end = clock.deadline(after: .milliseconds(10))
            pool.checkIn(try await pool.checkOut(deadline: end))
            await clock.advance(by: .milliseconds(20))
        }
        #expect(pool.statistics.reused == 199)
        let count = await fixture.group.loops[0].timerCount()
        #expect(count <= 2, "\(count) timers")
        await fixture.end()
    }
}
