import NetpollCore
import NetpollTesting

@testable import NetpollRPC

/// A client of two servers on a virtual clock: calls come evenly, one server is slower, and the
/// decisions are those of the real `HedgeState`, `RetryTokens` and `BalancerState`.
final class HedgingSimulation {
    /// How long a call takes at a server, in nanoseconds.
    typealias Latency = (inout SeededGenerator) -> UInt64

    private final class Call {
        let start: UInt64
        var hedge: HedgeState
        var picks: [BalancerState<Int>.Pick] = []
        var isEnded = false
        var waits = 0
        init(_ start: UInt64, _ policy: RetryPolicy) {
            self.start = start
            hedge = HedgeState(policy)
        }
    }

    static let method = BalancerState<Int>.MethodKey(
        MethodDescriptor(service: "S", package: "", name: "m")
    )

    private let policy: RetryPolicy
    private let latencies: [Latency]
    private var random: SeededGenerator
    private var events = EventQueue()
    private var tokens: RetryTokens
    private var balancer: BalancerState<Int>
    /// How long each call took, in nanoseconds.
    private(set) var durations: [UInt64] = []
    /// Calls that were sent to the servers, hedges among them.
    private(set) var sentCount = 0
    /// Attempts that ran when their call had its reply, and so were cancelled.
    private(set) var cancelledCount = 0
    /// In thousandths: by how much the hedges of any calls in a row exceeded their share.
    private(set) var greatestExcess = 0
    private var excess = 0
    private let share: Double

    init(
        _ balancer: LoadBalancer,
        policy: RetryPolicy,
        budget: RetryBudget,
        latencies: [Latency],
        seed: UInt64
    ) {
        self.policy = policy
        self.latencies = latencies
        random = SeededGenerator(seed: seed)
        tokens = RetryTokens(budget)
        share = budget.hedgingShare
        self.balancer = BalancerState(
            balancer,
            breakers: nil,
            dialBackOff: BackOff(),
            endpointLimit: 10,
            seed: seed
        )
        let endpoints = latencies.indices.map { Endpoint(.tcp(host: "10.0.0.\($0)", port: 1)) }
        _ = self.balancer.update(endpoints) { _, id in id }
    }

    /// Makes `count` calls, one each `spacing` nanoseconds, and lets all of them end.
    func run(_ count: Int, spacing: UInt64) {
        for number in 0..<count {
            events.schedule(at: 1_000_000_000 + UInt64(number) * spacing) { self.begin() }
        }
        while let event = events.next() { event() }
    }

    private func begin() {
        tokens.earn()
        excess = max(0, excess - Int(1000 * share))
        let call = Call(events.now, policy)
        perform(call.hedge.begin(), call)
    }

    private func spend() -> Bool {
        guard tokens.spendOnHedge() else { return false }
        excess += 1000
        greatestExcess = max(greatestExcess, excess)
        return true
    }

    private func perform(_ actions: [HedgeState.Action], _ call: Call) {
        for action in actions {
            switch action {
            case .start: start(call)
            case .wait:
                call.waits += 1
                let number = call.waits
                let delay = policy.hedgingDelay?.wholeNanoseconds ?? 0
                events.schedule(at: events.now + delay) {
                    guard call.waits == number else { return }
                    self.perform(call.hedge.delayPassed { self.spend() }, call)
                }
            case .finish:
                call.isEnded = true
                durations.append(events.now - call.start)
            }
        }
    }

    private func start(_ call: Call) {
        let now = Deadline(uptimeNanoseconds: events.now)
        guard
            let picked = balancer.pick(
                Self.method,
                key: nil,
                excluding: [],
                avoiding: call.picks.map(\.id),
                now: now
            )
        else { return }
        call.picks.append(picked)
        sentCount += 1
        let latency = latencies[picked.member](&random)
        events.schedule(at: events.now + latency) {
            let now = Deadline(uptimeNanoseconds: self.events.now)
            // A loser that was cancelled has left its endpoint when the winner came.
            guard !call.isEnded else { return }
            self.balancer.ended(picked, Self.method, .success, now: now)
            for loser in call.picks where loser.id != picked.id {
                self.balancer.ended(loser, Self.method, .ignored, now: now)
                self.cancelledCount += 1
            }
            self.perform(call.hedge.ended(.success(Self.reply)) { self.tokens.spend() }, call)
        }
    }

    /// What every attempt gets; nobody looks at it.
    private static let reply: Reply = {
        var head = LinkBuffer()
        head.write([0, 0, 0, 13, 0x90, 1, 0, 2, 0, 0, 0, 1, 0x6D, 0, 0, 0, 1] as [UInt8])
        guard let payload = head.readSlice(17), let message = try? WireMessage(parsing: payload)
        else { preconditionFailure("the reply is well formed") }
        return Reply(header: HeaderInfo(), message: message)
    }()

    /// The duration that a share of the calls did not exceed.
    func percentile(_ share: Double) -> Duration {
        let sorted = durations.sorted()
        let index = min(sorted.count - 1, Int(Double(sorted.count) * share))
        return .nanoseconds(Int64(sorted[index]))
    }
}
