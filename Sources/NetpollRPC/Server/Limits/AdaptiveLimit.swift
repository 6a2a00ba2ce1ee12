/// Refuses calls early when they wait too long for their handlers to start.
///
/// What counts is the time between the receipt of a request and the start of its handler: behind
/// other handlers on an event loop, or for a thread of a worker pool. A queue that is worked off is
/// no reason to refuse anything. But when not one call in a whole `interval` has started within
/// `target`, the server has more than it can do. From then on a call that has waited for longer than
/// `target`, and for longer than two handlers need, is answered with `resourceExhausted` and the
/// advice to go elsewhere, without running. That costs little, so the others start in time. It ends
/// with the first call that need not wait at all.
///
/// A refusal so takes `target` and the rest of the handler that runs: with the default less than 5 ms
/// if a handler takes a millisecond.
public struct AdaptiveLimit: Sendable, Hashable {
    /// How long a call may wait while the server has more than it can do.
    ///
    /// Default 3 ms.
    public var target: Duration = .milliseconds(3)
    /// How long calls must have waited longer before some are refused.
    ///
    /// A server that starts no two calls in such a time is never taken for overloaded. Default
    /// 100 ms.
    public var interval: Duration = .milliseconds(100)

    /// Creates the defaults.
    public init() {}
}

/// The decisions of an ``AdaptiveLimit``: delays and times in nanoseconds in, verdicts out; no
/// clock.
struct QueueDelayControl {
    private let target: UInt64
    private let interval: UInt64
    /// When the last decision was made.
    private var lastDecision: UInt64 = 0
    /// When the last call was admitted.
    private var lastStart: UInt64 = 0
    /// The time from one start to the next, averaged over about eight.
    private var spacing: UInt64 = 0
    /// Since when no call has started within the target.
    private var lateSince: UInt64?
    private var overloadedSince: UInt64?
    /// Until when a long wait alone shows that an overload goes on.
    private var suspicionEnd: UInt64 = 0

    init(target: UInt64, interval: UInt64) {
        self.target = target
        self.interval = max(1, interval)
    }

    var isOverloaded: Bool { overloadedSince != nil }

    /// Whether a call whose handler could start now is to run.
    mutating func admits(delay: UInt64, now: UInt64) -> Bool {
        // The threads that ask read their clocks before they come here.
        let now = max(now, lastDecision)
        // After a pause of a whole interval the past says nothing any more.
        if now - lastDecision >= interval { forget() }
        lastDecision = now
        let limit = max(target, spacing.multipliedSaturating(by: 2))
        note(delay, limit, now)
        guard !isOverloaded || delay <= limit else { return false }
        let gap = min(now - lastStart, interval)
        spacing = spacing - spacing / 8 + gap / 8
        lastStart = now
        return true
    }

    private mutating func note(_ delay: UInt64, _ limit: UInt64, _ now: UInt64) {
        if delay <= target { lateSince = nil }
        if let since = overloadedSince {
            // Somebody who did not wait found the server with nothing to do. While refusals keep the
            // queue short that happens by chance too, so what lasted is not forgotten at once.
            guard delay <= target / 8 else { return }
            overloadedSince = nil
            if now - since >= interval { suspicionEnd = now.addingSaturating(interval) }
        } else if delay > target {
            let since = lateSince ?? now
            lateSince = since
            let isCertain = now - since >= interval
            if isCertain || (now < suspicionEnd && delay / 2 > limit) { overloadedSince = now }
        }
    }

    private mutating func forget() {
        // Until more is known, handlers may take long.
        spacing = interval
        lateSince = nil
        overloadedSince = nil
        suspicionEnd = 0
    }
}

extension UInt64 {
    fileprivate func addingSaturating(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    fileprivate func multipliedSaturating(by other: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
