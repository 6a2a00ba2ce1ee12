import NetpollCore
import NetpollTesting
import Testing

@testable import NetpollRPC

@Suite("What limits, retries and hedges promise, on a virtual clock")
struct GovernanceSimulationTests {
    private static let seeds: [UInt64] = [1, 2, 3, 4, 5]

    // Row C9.

    @Test("at ten times its load a server does most of its work in time", arguments: seeds)
    func goodput(seed: UInt64) {
        var simulation = OverloadSimulation(AdaptiveLimit(), seed: seed)
        let normal = simulation.run(callsPerSecond: 500, seconds: 10)
        #expect(normal.refused == 0 && normal.late == 0)
        // It takes the first second to find out.
        _ = simulation.run(callsPerSecond: 10_000, seconds: 1)
        let overload = simulation.run(callsPerSecond: 10_000, seconds: 10)
        // 1,000 calls in a second are all that it can do.
        print("C9, seed \(seed): \(overload.inTime / 10) of 1000 calls/s in time")
        #expect(overload.inTime >= 8_000, "\(overload.inTime) of 10,000")
        let times = overload.refusalTimes.sorted()
        let slowest = times[times.count * 99 / 100]
        print("C9, seed \(seed): 99 % of the refusals within \(Double(slowest) / 1e6) ms")
        // The target and the handler before it.
        #expect(slowest < 5_000_000, "\(slowest) ns")
        // A second after the load is gone nothing is refused any more.
        _ = simulation.run(callsPerSecond: 500, seconds: 1)
        let after = simulation.run(callsPerSecond: 500, seconds: 10)
        #expect(after.refused == 0 && after.late == 0)
    }

    @Test("whatever the load, the limit costs little of what the server can do", arguments: seeds)
    func loads(seed: UInt64) {
        // Calls per second, how many at least end in time, and how many at most are refused.
        let loads: [(rate: Double, inTime: Double, refused: Double)] = [
            (500, 0.99, 0), (900, 0.95, 0.05), (1200, 0.75, 0.25), (2000, 0.4, 0.6),
            (5000, 0.16, 0.84), (900, 0.95, 0.05),
        ]
        var simulation = OverloadSimulation(AdaptiveLimit(), seed: seed)
        for load in loads {
            // What came before has a second to pass.
            _ = simulation.run(callsPerSecond: load.rate, seconds: 1)
            let result = simulation.run(callsPerSecond: load.rate, seconds: 10)
            let count = Double(result.inTime + result.late + result.refused)
            let shares = (Double(result.inTime) / count, Double(result.refused) / count)
            print("C9, seed \(seed): \(load.rate) calls/s: \(shares)")
            #expect(shares.0 >= load.inTime && shares.1 <= load.refused, "\(load): \(shares)")
        }
    }

    @Test("bursts that are worked off in time cost nobody an error", arguments: seeds)
    func bursts(seed: UInt64) {
        var simulation = OverloadSimulation(AdaptiveLimit(), seed: seed)
        for _ in 0..<20 {
            // About 40 calls at once, the last of which waits for 36 ms.
            let burst = simulation.run(callsPerSecond: 10_000, seconds: 0.004)
            let calm = simulation.run(callsPerSecond: 200, seconds: 0.2)
            #expect(burst.refused + calm.refused == 0)
        }
    }

    @Test("without the limit the same server does nearly nothing in time")
    func collapse() {
        var simulation = OverloadSimulation(nil, seed: 1)
        let overload = simulation.run(callsPerSecond: 10_000, seconds: 10)
        #expect(overload.inTime < 1_000, "\(overload.inTime)")
    }

    // Row C10.

    @Test(
        "retries of a server that fails every call add a tenth, however many attempts are allowed"
    )
    func amplification() {
        let policy = RetryPolicy.failure(attemptLimit: 5)
        var tokens = RetryTokens(RetryBudget())
        let error = RPCError(.unavailable, "down")
        func sent(_ calls: Int) -> Int {
            var sent = 0
            for _ in 0..<calls {
                tokens.earn()
                sent += 1
                var attempt = 1
                while attempt < policy.attempts, policy.isRetryable(error), tokens.spend() {
                    attempt += 1
                    sent += 1
                }
            }
            return sent
        }
        // The burst that a client starts with is used up by then.
        _ = sent(100)
        #expect(sent(10_000) <= 11_001)
    }

    // Row C11.

    private static func milliseconds(_ range: ClosedRange<UInt64>) -> HedgingSimulation.Latency {
        {
            UInt64.random(
                in: range.lowerBound * 1_000_000...range.upperBound * 1_000_000,
                using: &$0
            )
        }
    }

    private func check(
        _ balancer: LoadBalancer,
        _ slow: @escaping HedgingSimulation.Latency,
        _ seed: UInt64,
        _ name: String
    ) {
        let fast = Self.milliseconds(1...5)
        let budget = RetryBudget()
        let delay = Duration.milliseconds(10)
        let count = 5_000
        func run(_ policy: RetryPolicy, _ latencies: [HedgingSimulation.Latency])
            -> HedgingSimulation
        {
            let simulation = HedgingSimulation(
                balancer,
                policy: policy,
                budget: budget,
                latencies: latencies,
                seed: seed
            )
            simulation.run(count, spacing: 1_000_000)
            #expect(simulation.durations.count == count)
            return simulation
        }
        let best = run(.backup(after: delay), [fast, fast]).percentile(0.99)
        let hedged = run(.backup(after: delay), [fast, slow])
        let extra = Double(hedged.sentCount - count) / Double(count)
        let p99 = hedged.percentile(0.99)
        print("C11, \(name), seed \(seed): p99 \(p99), fast p99 \(best), extra load \(extra)")
        #expect(p99 <= delay + best)
        // A twentieth, and what a client starts with; nor more in any stretch of calls.
        #expect(extra > 0 && hedged.sentCount - count <= count / 20 + budget.burst)
        #expect(hedged.greatestExcess <= budget.burst * 1000)
        #expect(hedged.cancelledCount > 0)
        let alone = run(.failure(), [fast, slow]).percentile(0.999)
        #expect(alone > .milliseconds(250), "without hedges the slowest would take \(alone)")
    }

    @Test(
        "with one server whose calls hang now and then, hedges keep the tail short",
        arguments: seeds
    )
    func occasionallySlow(seed: UInt64) {
        let fast = Self.milliseconds(1...5)
        let hang = Self.milliseconds(400...600)
        check(
            .roundRobin,
            { UInt64.random(in: 0..<14, using: &$0) == 0 ? hang(&$0) : fast(&$0) },
            seed,
            "occasional"
        )
    }

    @Test(
        "with one server that is slow at every call, so do hedges and few calls in flight",
        arguments: seeds
    )
    func alwaysSlow(seed: UInt64) {
        check(.leastInFlight, Self.milliseconds(300...500), seed, "always")
    }
}
