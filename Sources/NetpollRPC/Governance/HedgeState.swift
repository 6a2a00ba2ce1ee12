internal import NetpollCore

/// The decisions of a call that may be made several times at once: pure.
struct HedgeState {
    typealias Outcome = Result<Reply, RPCError>

    enum Action {
        /// Make the call; the number counts from 0.
        case start(Int)
        /// Come back with ``delayPassed(mayStart:)`` after the delay.
        case wait
        case finish(Outcome)
    }

    private let policy: RetryPolicy
    private var started = 0
    private var running = 0
    private(set) var isDone = false

    init(_ policy: RetryPolicy) { self.policy = policy }

    mutating func begin() -> [Action] { start() }

    /// The delay after the last start has passed.
    mutating func delayPassed(mayStart: () -> Bool) -> [Action] {
        guard !isDone, started < policy.attempts, mayStart() else { return [] }
        return start()
    }

    /// An attempt has ended.
    mutating func ended(_ outcome: Outcome, mayStart: () -> Bool) -> [Action] {
        running -= 1
        guard !isDone else { return [] }
        if case .failure(let error) = outcome, policy.isRetryable(error) {
            if started < policy.attempts, mayStart() { return start() }
            // Another that is still under way may do better.
            if running > 0 { return [] }
        }
        isDone = true
        return [.finish(outcome)]
    }

    /// The caller gave up.
    mutating func cancel() { isDone = true }

    private mutating func start() -> [Action] {
        started += 1
        running += 1
        let first = Action.start(started - 1)
        return started < policy.attempts ? [first, .wait] : [first]
    }
}
