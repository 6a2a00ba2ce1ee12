import NetpollCore
import NetpollProtobuf
import NetpollTesting
import TestProtos
import Testing

@testable import NetpollRPC

/// One call in each millisecond of a clock that stands still meanwhile, to two servers on real
/// sockets whose handlers take a time drawn by a seed.
@Suite("Two servers, one of them slow, with hedging", .timeLimit(.minutes(5)))
struct TailTests {
    private struct Run {
        let sorted: [Duration]
        let handled: Int
        let cancelled: Int
        func percentile(_ share: Double) -> Duration { sorted[Int(Double(sorted.count) * share)] }
    }

    private final class Outcomes: Sendable {
        private let outcomes = Locked<[Result<Duration, any Error>]>([])
        var count: Int { outcomes.withLock { $0.count } }
        func append(_ outcome: Result<Duration, any Error>) {
            outcomes.withLock { $0.append(outcome) }
        }
        func times() throws -> [Duration] { try outcomes.withLock { try $0.map { try $0.get() } } }
    }

    private static let callCount = 1000

    private func run(
        _ policy: RetryPolicy,
        _ connections: RPCClientOptions.Connections,
        isOneSlow: Bool,
        seed: UInt64
    ) async throws -> Run {
        let clock = ManualClock()
        let loops = try EventLoopGroup(count: 2, options: clock.options)
        let random = Locked(SeededGenerator(seed: seed))
        let (handled, cancelled) = (Counter(), Counter())
        let fleet = try Fleet(2, loops: loops) { number, _, _ in
            handled.increment()
            let time: Int = random.withLock { random in
                if isOneSlow, number == 1, Int.random(in: 0..<14, using: &random) == 0 {
                    return Int.random(in: 400...600, using: &random)
                }
                return Int.random(in: 1...5, using: &random)
            }
            do {
                try await loops.loops[0].sleep(until: clock.deadline(after: .milliseconds(time)))
            } catch {
                cancelled.increment()
                throw error
            }
        }
        var options = RPCClientOptions()
        options.retryPolicy = policy
        options.connections = connections
        let client = try RPCClient(
            resolver: StaticResolver(fleet.addresses),
            options: options,
            group: loops
        )
        let echo = Echo_EchoClient(client)
        // Both servers are connected to before anything is measured.
        for _ in 0..<4 {
            let call = Task(executorPreference: loops.next()) { try await echo.echo(.init()) }
            _ = try await clock.advance(until: call, by: .milliseconds(1))
        }
        let before = handled.value
        let outcomes = Outcomes()
        for _ in 0..<Self.callCount {
            let start = clock.now().uptimeNanoseconds
            Task(executorPreference: loops.next()) {
                do {
                    _ = try await echo.echo(.init())
                    outcomes.append(.success(.nanoseconds(clock.now().uptimeNanoseconds - start)))
                } catch {
                    outcomes.append(.failure(error))
                }
            }
            await clock.advance(by: .milliseconds(1))
        }
        while outcomes.count < Self.callCount { await clock.advance(by: .milliseconds(1)) }
        try await eventually("nothing is left of the losers on this side") {
            client.callCount == 0 && client.endpoints.allSatisfy { $0.inFlight == 0 }
        }
        let run = Run(
            sorted: try outcomes.times().sorted(),
            handled: handled.value - before,
            cancelled: cancelled.value
        )
        await client.close()
        await loops.shutdown()
        return run
    }

    // Row C11.
    @Test(
        "p99 stays within the delay and the fast p99, for a twentieth more calls",
        arguments: [
            RPCClientOptions.Connections.multiplexed(count: 2), .pooled(),
        ]
    )
    func hedging(connections: RPCClientOptions.Connections) async throws {
        let seed: UInt64 = 1
        let delay = Duration.milliseconds(10)
        let policy = RetryPolicy.backup(after: delay)
        let fast = try await run(policy, connections, isOneSlow: false, seed: seed)
        let hedged = try await run(policy, connections, isOneSlow: true, seed: seed)
        let alone = try await run(.failure(), connections, isOneSlow: true, seed: seed)
        let extra = hedged.handled - Self.callCount
        print(
            "C11, \(connections), seed \(seed): p99 \(hedged.percentile(0.99)),",
            "fast p99 \(fast.percentile(0.99)), without hedges \(alone.percentile(0.99));",
            "\(extra) more calls of \(Self.callCount), \(hedged.cancelled) cancelled"
        )
        #expect(hedged.percentile(0.99) <= delay + fast.percentile(0.99))
        #expect(fast.handled == Self.callCount, "nothing is hedged that is fast")
        #expect(alone.percentile(0.99) >= .milliseconds(400))
        #expect(extra > 0 && extra <= Self.callCount / 20 + RetryBudget().burst)
        // On a connection of its own a call that was given up is told to the server.
        if connections.isPooled { #expect(hedged.cancelled > 0) }
    }
}
