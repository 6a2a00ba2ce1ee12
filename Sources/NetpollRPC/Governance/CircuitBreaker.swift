internal import NetpollCore

/// When an endpoint that fails is left out, for a method or for all.
///
/// It works among several endpoints: a lone one is always used.
public struct CircuitBreakerOptions: Sendable, Hashable {
    /// The share of failures that opens a breaker.
    ///
    /// Default 0.5.
    public var errorRate = 0.5
    /// How many calls the window must hold before the share counts.
    ///
    /// Default 200.
    public var minimumSamples = 200
    /// How far back failures count; kept in ten steps.
    ///
    /// Default 10 s.
    public var window: Duration = .seconds(10)
    /// How long an open breaker keeps all calls away before single ones probe.
    ///
    /// Default 5 s.
    public var openTime: Duration = .seconds(5)
    /// How many probes in a row must succeed.
    ///
    /// Default 2.
    public var probeSuccesses = 2
    /// How many time-outs in a row open the breaker of an endpoint, whatever the share: a peer that
    /// is stopped accepts connections and answers nothing.
    ///
    /// Default 5.
    public var consecutiveTimeouts = 5
    /// The largest share of endpoints that breakers may leave out at a time.
    ///
    /// Default 0.5.
    public var ejectionShare = 0.5
    /// The failures of a method that count; broken connections and time-outs always do.
    ///
    /// Default: `internalError`, `unknown`, `protocolViolation`.
    public var codes: Set<RPCError.Code> = [.internalError, .unknown, .protocolViolation]

    /// Creates the defaults.
    public init() {}
}

/// What a call said about the endpoint that it went to.
enum CallResult: Sendable, Equatable {
    case success
    /// The method failed, but the endpoint is alive.
    case failure
    /// The connection could not be made or broke.
    case broken
    case timeout
    /// It says nothing: cancelled, or a limit of this side.
    case ignored
}

/// One breaker: pure, told the time.
struct CircuitBreaker: Sendable {
    private enum Phase: Sendable {
        case closed
        case open(until: Deadline)
        case halfOpen(successes: Int, isProbing: Bool)
    }
    private struct Step: Sendable {
        var number: UInt64 = .max
        var total = 0
        var failed = 0
    }

    private static let stepCount = 10
    private var phase = Phase.closed
    /// How many phases came before; only what began in the present one counts.
    private var phaseNumber = 0
    private var steps = [Step](repeating: Step(), count: Self.stepCount)
    private var timeoutsInRow = 0

    /// Whether a call may go there now.
    func admits(now: Deadline) -> Bool {
        switch phase {
        case .closed: true
        case .open(let end): now >= end
        case .halfOpen(_, let isProbing): !isProbing
        }
    }

    var isClosed: Bool { if case .closed = phase { true } else { false } }

    /// A call goes there.
    ///
    /// - Returns: The number of the phase that it begins in, which ``end(_:begunIn:now:_:)`` asks for.
    mutating func begin(now: Deadline) -> Int {
        switch phase {
        case .closed: break
        case .open(let end):
            if now >= end { enter(.halfOpen(successes: 0, isProbing: true)) }
        case .halfOpen(let successes, _):
            phase = .halfOpen(successes: successes, isProbing: true)
        }
        return phaseNumber
    }

    /// A call that went there has ended; one of an earlier phase says nothing of the present one.
    ///
    /// - Returns: Whether a closed breaker has seen enough to open; ``open(now:_:)`` does that.
    mutating func end(
        _ result: CallResult,
        begunIn number: Int,
        now: Deadline,
        _ options: CircuitBreakerOptions
    ) -> Bool {
        guard number == phaseNumber else { return false }
        let isFailure = result != .success && result != .ignored
        switch phase {
        case .open: return false
        case .halfOpen(let successes, _):
            if isFailure {
                open(now: now, options)
            } else if result == .ignored {
                phase = .halfOpen(successes: successes, isProbing: false)
            } else if successes + 1 >= options.probeSuccesses {
                enter(.closed)
            } else {
                phase = .halfOpen(successes: successes + 1, isProbing: false)
            }
            return false
        case .closed:
            guard result != .ignored else { return false }
            timeoutsInRow = result == .timeout ? timeoutsInRow + 1 : 0
            let isBad = count(isFailure, now, options)
            let isStopped =
                options.consecutiveTimeouts > 0 && timeoutsInRow >= options.consecutiveTimeouts
            return isFailure && (isBad || isStopped)
        }
    }

    /// Keeps calls away for a while; what was counted is forgotten.
    mutating func open(now: Deadline, _ options: CircuitBreakerOptions) {
        enter(.open(until: now.advanced(by: options.openTime)))
    }

    private mutating func enter(_ phase: Phase) {
        let number = phaseNumber + 1
        self = CircuitBreaker()
        self.phase = phase
        phaseNumber = number
    }

    /// Counts a result; whether the window now holds too many failures.
    private mutating func count(
        _ isFailure: Bool,
        _ now: Deadline,
        _ options: CircuitBreakerOptions
    )
        -> Bool
    {
        let length = max(1_000_000, options.window.wholeNanoseconds) / UInt64(Self.stepCount)
        let number = now.uptimeNanoseconds / length
        let index = Int(number % UInt64(Self.stepCount))
        if steps[index].number != number { steps[index] = Step(number: number) }
        steps[index].total += 1
        if isFailure { steps[index].failed += 1 }
        var total = 0
        var failed = 0
        // Threads read their clocks before they come here, so a step may be ahead of this one's.
        for step in steps where step.number != .max && step.number + 10 > number {
            total += step.total
            failed += step.failed
        }
        return total >= max(1, options.minimumSamples)
            && Double(failed) >= options.errorRate * Double(total)
    }
}
