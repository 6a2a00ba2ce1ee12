import NetpollCore
import NetpollTesting
import Testing

@testable import NetpollRPC

@Suite("CircuitBreaker")
struct CircuitBreakerTests {
    private let start = Deadline(uptimeNanoseconds: 1_000_000_000_000)
    private let options = CircuitBreakerOptions()

    private func feed(
        _ breaker: inout CircuitBreaker,
        _ results: [CallResult],
        at time: Deadline
    ) -> Bool {
        var wantsOpen = false
        for result in results {
            let phase = breaker.begin(now: time)
            wantsOpen = breaker.end(result, begunIn: phase, now: time, options)
        }
        return wantsOpen
    }

    @Test("half of 200 calls must fail, and 199 calls are too few")
    func threshold() {
        var breaker = CircuitBreaker()
        let calls = (0..<199).map { $0 % 2 == 0 ? CallResult.failure : .success }
        let early = feed(&breaker, calls, at: start)
        #expect(!early)
        let late = feed(&breaker, [.failure], at: start)
        #expect(late)
        var better = CircuitBreaker()
        let mostlyGood = feed(
            &better,
            (0..<400).map { $0 % 5 < 2 ? .failure : .success },
            at: start
        )
        #expect(!mostlyGood)
    }

    @Test("failures older than the window do not count")
    func window() {
        var breaker = CircuitBreaker()
        _ = feed(&breaker, Array(repeating: .failure, count: 199), at: start)
        let later = feed(&breaker, [.failure], at: start.advanced(by: .seconds(11)))
        #expect(!later)
    }

    @Test("results come in any order of their times, and windows have any length")
    func times() {
        var breaker = CircuitBreaker()
        let calls = Array(repeating: CallResult.failure, count: 150)
        let early = feed(&breaker, calls, at: start.advanced(by: .seconds(1)))
        let late = feed(&breaker, calls, at: start)
        #expect(!early && late)
        for window in [Duration.zero, .seconds(-1), .nanoseconds(1), .seconds(Int64.max)] {
            var odd = options
            odd.window = window
            var breaker = CircuitBreaker()
            for time in [start, .distantFuture, Deadline(uptimeNanoseconds: 0)] {
                let phase = breaker.begin(now: time)
                _ = breaker.end(.failure, begunIn: phase, now: time, odd)
            }
        }
    }

    @Test("an open breaker admits nobody, then one probe at a time, and closes after two successes")
    func recovery() {
        var breaker = CircuitBreaker()
        breaker.open(now: start, options)
        #expect(!breaker.admits(now: start.advanced(by: .milliseconds(4999))))
        let later = start.advanced(by: .seconds(5))
        for isLast in [false, true] {
            #expect(breaker.admits(now: later))
            let probe = breaker.begin(now: later)
            #expect(!breaker.admits(now: later), "a second probe beside the first")
            _ = breaker.end(.success, begunIn: probe, now: later, options)
            #expect(breaker.isClosed == isLast)
        }
    }

    @Test("a failed probe opens again, an inconclusive one lets another through")
    func failedProbe() {
        var breaker = CircuitBreaker()
        breaker.open(now: start, options)
        let later = start.advanced(by: .seconds(5))
        let ignored = breaker.begin(now: later)
        _ = breaker.end(.ignored, begunIn: ignored, now: later, options)
        #expect(breaker.admits(now: later))
        let broken = breaker.begin(now: later)
        _ = breaker.end(.broken, begunIn: broken, now: later, options)
        #expect(!breaker.admits(now: later.advanced(by: .milliseconds(4999))))
    }

    @Test(
        "what began in an earlier phase is no probe, and counts no more",
        arguments: [CallResult.success, .failure, .broken, .timeout, .ignored]
    )
    func earlierPhases(result: CallResult) {
        var breaker = CircuitBreaker()
        let early = breaker.begin(now: start)
        breaker.open(now: start, options)
        // Where every endpoint is left out calls go to one all the same.
        let forced = breaker.begin(now: start)
        let later = start.advanced(by: .seconds(5))
        let probe = breaker.begin(now: later)
        for phase in [early, forced] {
            for _ in 0..<10 {
                let wantsOpen = breaker.end(result, begunIn: phase, now: later, options)
                #expect(!wantsOpen && !breaker.isClosed && !breaker.admits(now: later))
            }
        }
        _ = breaker.end(.success, begunIn: probe, now: later, options)
        #expect(breaker.admits(now: later))
        let last = breaker.begin(now: later)
        _ = breaker.end(.success, begunIn: last, now: later, options)
        #expect(breaker.isClosed)
        for _ in 0..<10 {
            let wantsOpen = breaker.end(.timeout, begunIn: early, now: later, options)
            #expect(!wantsOpen)
        }
    }

    @Test("five time-outs in a row are enough, four with a success between are not")
    func timeouts() {
        var breaker = CircuitBreaker()
        let broken = feed(&breaker, [.timeout, .timeout, .success, .timeout, .timeout], at: start)
        #expect(!broken)
        let inRow = feed(&breaker, [.timeout, .timeout, .timeout], at: start)
        #expect(inRow)
    }

    @Test("a budget allows its burst, then its share of the calls")
    func budget() {
        var tokens = RetryTokens(RetryBudget())
        var retries = 0
        for _ in 0..<1000 {
            tokens.earn()
            if tokens.spend() { retries += 1 }
        }
        #expect((100...111).contains(retries), "\(retries)")
        var none = RetryBudget()
        none.share = 0
        none.burst = 0
        var empty = RetryTokens(none)
        empty.earn()
        let isSpent = empty.spend()
        #expect(!isSpent)
    }
}

@Suite("HedgeState")
struct HedgeStateTests {
    private let failure = HedgeState.Outcome.failure(RPCError(.unavailable, "x"))
    private let final = HedgeState.Outcome.failure(RPCError(.invalidArgument, "x"))

    private func names(_ actions: [HedgeState.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .start(let number): "start \(number)"
            case .wait: "wait"
            case .finish(.success): "success"
            case .finish(.failure(let error)): "\(error.code)"
            }
        }
    }

    @Test("each delay starts one more, up to the limit and the budget")
    func delays() {
        var state = HedgeState(.mixed(after: .seconds(1)))
        #expect(names(state.begin()) == ["start 0", "wait"])
        #expect(names(state.delayPassed { false }) == [])
        #expect(names(state.delayPassed { true }) == ["start 1", "wait"])
        #expect(names(state.delayPassed { true }) == ["start 2"])
        #expect(names(state.delayPassed { true }) == [])
    }

    @Test("a retryable failure starts the next at once; the last one is the outcome")
    func failures() {
        var state = HedgeState(.mixed(after: .seconds(1), attemptLimit: 2))
        _ = state.begin()
        #expect(names(state.ended(failure) { true }) == ["start 1"])
        #expect(names(state.ended(failure) { true }) == ["unavailable"])
        #expect(names(state.ended(failure) { true }) == [])
    }

    @Test("a failure waits for another attempt that is under way")
    func other() {
        var state = HedgeState(.mixed(after: .seconds(1), attemptLimit: 2))
        _ = state.begin()
        _ = state.delayPassed { true }
        #expect(names(state.ended(failure) { true }) == [])
        #expect(names(state.ended(final) { true }) == ["invalidArgument"])
    }

    @Test("a final failure ends the call, and after the end nothing starts")
    func end() {
        var state = HedgeState(.backup(after: .seconds(1)))
        _ = state.begin()
        #expect(names(state.ended(final) { true }) == ["invalidArgument"])
        #expect(names(state.delayPassed { true }) == [])
        #expect(state.isDone)
    }
}
