/// Refuses calls early when they wait too long for their handlers to start.
///
/// What counts is the time between the receipt of a request and the start of its handler: behind
/// other handlers on an event loop, or for a thread of a worker pool. A short queue is no reason to
/// refuse anything. But when not one call in a whole `interval` has started within `target`, the
/// server has more than it can do, and from then on calls that have waited for twice the target are
/// answered with `resourceExhausted` and the advice to go elsewhere, without running. That costs
/// little, so the queue shrinks until calls start in time again.
public struct AdaptiveLimit: Sendable, Hashable {
    /// How long a call may wait.
    ///
    /// Default 5 ms.
    public var target: Duration = .milliseconds(5)
    /// How long calls must have waited longer before some are refused.
    ///
    /// Default 100 ms.
    public var interval: Duration = .milliseconds(100)

    /// Creates the defaults.
    public init() {}
}

/// The decisions of an ``AdaptiveLimit``: delays and times in nanoseconds in, verdicts out; no
/// clock.
struct QueueDelayControl {
    private let target: UInt64
    private let interval: UInt64
    private var intervalEnd: UInt64 = 0
    /// The shortest delay of the present interval.
    private var shortest: UInt64 = 0
    private(set) var isOverloaded = false

    init(target: UInt64, interval: UInt64) {
        self.target = target
        self.interval = max(1, interval)
    }

    /// Whether a call whose handler could start now is to run.
    mutating func admits(delay: UInt64, now: UInt64) -> Bool {
        if now >= intervalEnd {
            // After a pause of a whole interval the past says nothing any more.
            let isFresh = now - intervalEnd < interval
            isOverloaded = isFresh && shortest > target
            shortest = delay
            let (end, overflow) = now.addingReportingOverflow(interval)
            intervalEnd = overflow ? .max : end
        } else {
            shortest = min(shortest, delay)
        }
        return !isOverloaded || delay / 2 <= target
    }
}
