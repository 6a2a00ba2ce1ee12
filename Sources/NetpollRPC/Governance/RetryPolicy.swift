public import NetpollCore

/// When a call is made again, and when it is made twice at once.
///
/// Without a policy a call is sent again only if it never ran: no connection could be made, nothing
/// of it was written, or the server says that it did not start. With one, a method may run more than
/// once: give it to methods that bear that. Among several endpoints each attempt goes to one where
/// no other attempt of the call went, as long as there is such a one.
public struct RetryPolicy: Sendable, Hashable {
    /// Most times a call is made, the first included; values below 1 and above 5 are moved there.
    ///
    /// Default 3.
    public var attemptLimit = 3
    /// The failures after which a call is made again, unless the server advises against it.
    ///
    /// Default: `unavailable`.
    public var codes: Set<RPCError.Code> = [.unavailable]
    /// How long to wait before each further attempt; not used when hedging.
    ///
    /// Default: 50 ms, 1.6 times as long each time, at most 500 ms.
    public var backOff = BackOff()
    /// How long to wait for a reply before the call is made once more beside the first.
    ///
    /// The first reply wins and the others are cancelled. Default `nil`: never.
    public var hedgingDelay: Duration?
    /// Whether a handler that serves a retry makes its own calls without retries, so that attempts
    /// do not multiply along a chain (Kitex's `RetryReq`).
    ///
    /// Default true.
    public var stopsChain = true

    /// Creates the defaults: failure retry.
    public init() {}

    /// Makes a call again after it failed.
    public static func failure(
        _ codes: Set<RPCError.Code> = [.unavailable],
        attemptLimit: Int = 3
    ) -> RetryPolicy {
        var policy = RetryPolicy()
        policy.codes = codes
        policy.attemptLimit = attemptLimit
        return policy
    }

    /// Makes a call twice if the first takes longer than `delay`; failures are final, unless the
    /// server says that the call did not run and another may take it.
    public static func backup(after delay: Duration, attemptLimit: Int = 2) -> RetryPolicy {
        mixed(after: delay, codes: [], attemptLimit: attemptLimit)
    }

    /// Makes a call again when it takes longer than `delay` or fails, whichever is first.
    public static func mixed(
        after delay: Duration,
        codes: Set<RPCError.Code> = [.unavailable],
        attemptLimit: Int = 3
    ) -> RetryPolicy {
        var policy = failure(codes, attemptLimit: attemptLimit)
        policy.hedgingDelay = delay
        return policy
    }

    var attempts: Int { min(max(1, attemptLimit), 5) }

    /// Whether a failure is one to try again after.
    func isRetryable(_ error: RPCError) -> Bool {
        switch error.retry {
        case .never, .later: false
        case .elsewhere: true
        case nil: codes.contains(error.code)
        }
    }
}

/// How many retries and hedges a client allows itself, as a share of its calls.
///
/// Each call with a retry policy earns a `share` of a retry and a `hedgingShare` of a hedge; each
/// attempt after a failure costs a retry, and each that is made beside a slow one a hedge. Up to
/// `burst` of either are saved, and a client starts with as many. So of any `n` calls in a row at
/// most `share * n + burst` are made again after failures and `hedgingShare * n + burst` beside slow
/// ones, however many servers fail or are slow.
public struct RetryBudget: Sendable, Hashable {
    /// Retries for each call, from 0 to 1, in steps of a thousandth.
    ///
    /// Default 0.1, as Kitex's limit.
    public var share = 0.1
    /// Hedges for each call, from 0 to 1, in steps of a thousandth.
    ///
    /// Default 0.05: enough for a ``RetryPolicy/hedgingDelay`` that 19 of 20 calls do not reach.
    public var hedgingShare = 0.05
    /// Most retries, and most hedges, that are saved up, which is also what a client starts with.
    ///
    /// With 0 a whole one must be earned first. Default 10.
    public var burst = 10

    /// Creates the defaults.
    public init() {}
}

/// The state of a budget: pure.
struct RetryTokens {
    private struct Purse {
        var thousandths: Int
        let income: Int
        let limit: Int

        init(share: Double, burst: Int) {
            thousandths = min(max(0, burst), 1_000_000) * 1000
            income = Int(1000 * min(max(0, share), 1))
            limit = max(thousandths, 1000)
        }

        mutating func earn() { thousandths = min(limit, thousandths + income) }

        mutating func spend() -> Bool {
            guard thousandths >= 1000 else { return false }
            thousandths -= 1000
            return true
        }
    }

    private var retries: Purse
    private var hedges: Purse

    init(_ budget: RetryBudget) {
        retries = Purse(share: budget.share, burst: budget.burst)
        hedges = Purse(share: budget.hedgingShare, burst: budget.burst)
    }

    /// A call begins.
    mutating func earn() {
        retries.earn()
        hedges.earn()
    }

    /// Pays for one more attempt after a failure; false when there is nothing left.
    mutating func spend() -> Bool { retries.spend() }

    /// Pays for one more attempt beside a slow one; false when there is nothing left.
    mutating func spendOnHedge() -> Bool { hedges.spend() }
}
