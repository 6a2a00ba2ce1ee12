import NetpollCore
import NetpollTesting
import Synchronization
import Testing

@testable import NetpollRPC

@Suite("MultiplexedConnections", .timeLimit(.minutes(1)))
struct MultiplexedConnectionsTests {
    @Test("after a failed dial callers fail at once until the back-off ends; a probe dials anyway")
    func backOff() async throws {
        final class Dials: Sendable { let count = Atomic<Int>(0) }
        let clock = ManualClock()
        let loops = try EventLoopGroup(count: 1, options: clock.options)
        let dials = Dials()
        let connections = MultiplexedConnections(
            count: 2,
            backOff: BackOff(),
            now: { clock.now() },
            dial: { completion in
                dials.count.add(1, ordering: .relaxed)
                completion(.failure(NetpollError(.connectionRefused, "dial")))
            }
        )
        for _ in 0..<10 {
            await #expect(throws: NetpollError(.connectionRefused, "dial")) {
                try await connections.session(until: .distantFuture, on: loops.loops[0])
            }
        }
        #expect(dials.count.load(ordering: .relaxed) == 1)
        // The longest time after the first failure: 50 ms and a fifth.
        await clock.advance(by: .milliseconds(60))
        for _ in 0..<10 {
            _ = try? await connections.session(until: .distantFuture, on: loops.loops[0])
        }
        #expect(dials.count.load(ordering: .relaxed) == 2)
        connections.probe()
        #expect(dials.count.load(ordering: .relaxed) == 3)
        await loops.shutdown()
    }

    @Test("counts outside the bounds are brought into them", arguments: [Int.min, 0, 257, .max])
    func bounds(count: Int) async throws {
        let loops = try EventLoopGroup(count: 1)
        let dialled = Locked(0)
        let connections = MultiplexedConnections(
            count: count,
            backOff: BackOff(),
            now: { .now() },
            dial: { _ in dialled.withLock { $0 += 1 } }
        )
        // Each caller who finds nothing takes the next place, and all of them wait there.
        let loop = loops.loops[0]
        let waiting = (0..<300).map { _ in
            Task { _ = try? await connections.session(until: .distantFuture, on: loop) }
        }
        let expected = count < 1 ? 1 : 256
        while dialled.withLock({ $0 }) < expected { await Task.yield() }
        for task in waiting { task.cancel() }
        for task in waiting { await task.value }
        #expect(dialled.withLock { $0 } == expected)
        await loops.shutdown()
    }

    @Test("so many callers wait for dials, and no more; who gives up leaves its place to another")
    func waiterLimit() async throws {
        let loops = try EventLoopGroup(count: 1)
        let loop = loops.loops[0]
        let connections = MultiplexedConnections(
            count: 2,
            backOff: BackOff(),
            waiterLimit: 3,
            now: { .now() },
            dial: { _ in }
        )
        let (ends, continuation) = AsyncStream.makeStream(of: (Int, NetpollError.Code?).self)
        func begin(_ number: Int) -> Task<Void, Never> {
            Task {
                do throws(NetpollError) {
                    _ = try await connections.session(until: .distantFuture, on: loop)
                } catch {
                    continuation.yield((number, error.code))
                }
            }
        }
        var outcomes = ends.makeAsyncIterator()
        var waiting = Dictionary(uniqueKeysWithValues: (0..<4).map { ($0, begin($0)) })
        let refused = try #require(await outcomes.next())
        #expect(refused.1 == .limitExceeded)
        waiting[refused.0] = nil
        let (leaving, task) = try #require(waiting.first)
        task.cancel()
        let cancelled = try #require(await outcomes.next())
        #expect(cancelled == (leaving, .cancelled))
        waiting[leaving] = nil
        for number in 4..<6 { waiting[number] = begin(number) }
        let late = try #require(await outcomes.next())
        #expect(late.1 == .limitExceeded && late.0 >= 4)
        waiting[late.0] = nil
        #expect(waiting.count == 3)
        for task in waiting.values { task.cancel() }
        for _ in 0..<3 {
            let end = try #require(await outcomes.next())
            #expect(end.1 == .cancelled)
        }
        await loops.shutdown()
    }

    @Test("clients do not come back together: the times after a failure differ")
    func jitter() {
        let now = Deadline(uptimeNanoseconds: 1_000_000)
        let error = NetpollError(.connectionRefused, "dial")
        var ends: Set<UInt64> = []
        for seed in 0..<100 {
            var backOff = DialBackOff(BackOff(), seed: UInt64(seed))
            backOff.failed(error, now: now)
            guard let end = backOff.end?.deadline else { continue }
            #expect(end >= now.advanced(by: .milliseconds(40)))
            #expect(end <= now.advanced(by: .milliseconds(60)))
            ends.insert(end.uptimeNanoseconds)
        }
        #expect(ends.count > 90)
    }

    @Test("a back-off bears options that make no sense")
    func oddBackOff() {
        let durations = [Duration.seconds(Int64.max), .zero, .seconds(-1), .milliseconds(50)]
        let numbers = [Double.nan, .infinity, -.infinity, -1, 0, 1.6, 1e300]
        for initial in durations {
            for limit in durations {
                for number in numbers {
                    var backOff = BackOff()
                    backOff.initial = initial
                    backOff.limit = limit
                    backOff.factor = number
                    backOff.jitter = number
                    for failures in [Int.min, 0, 1, 2, 64, .max] {
                        let delay = backOff.delay(after: failures, random: 0.75)
                        #expect(delay >= .zero)
                    }
                }
            }
        }
        var backOff = BackOff()
        backOff.jitter = 0
        let delays = [1, 2, 3, 100].map { backOff.delay(after: $0, random: 0.5) }
        #expect(delays == [50, 80, 128, 500].map { .milliseconds($0) })
    }

    @Test("callers of a dial that fails get a neighbour that lives, and no error")
    func neighbour() async throws {
        typealias Completion = @Sendable (Result<ClientSession, NetpollError>) -> Void
        let loops = try EventLoopGroup(count: 1)
        let loop = loops.loops[0]
        let pending = Locked<[Completion]>([])
        let connections = MultiplexedConnections(
            count: 2,
            backOff: BackOff(),
            now: { .now() },
            dial: { completion in pending.withLock { $0.append(completion) } }
        )
        func begin() -> Task<ClientSession, any Error> {
            Task { try await connections.session(until: .distantFuture, on: loop) }
        }
        let calls = [begin(), begin(), begin(), begin()]
        while pending.withLock({ $0.count }) < 2 { await Task.yield() }
        let dials = pending.withLock { $0 }
        let (near, far) = Connection.makePair(loop, loop, (.init(), .init()))
        far.begin(nil)
        near.begin { connection in
            let session = ClientSession(connection, options: RPCClientOptions())
            dials[0](.success(session))
            return session
        }
        await loop.turn()
        // It serves those who come while the other is still dialled.
        let late = try await begin().value
        dials[1](.failure(NetpollError(.timedOut, "dial")))
        for call in calls { #expect(try await call.value === late) }
        connections.close()
        far.abort()
        await loops.shutdown()
    }
}
