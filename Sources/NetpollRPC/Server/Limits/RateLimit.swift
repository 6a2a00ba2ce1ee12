/// How many calls a server begins in a second.
///
/// A token bucket: calls that come at once are taken up to `burst`, and in the long run
/// `callsPerSecond` are. One more is answered with `resourceExhausted` and the advice to come
/// back later.
public struct RateLimit: Sendable, Hashable {
    /// Calls in a second in the long run; at least one in a day counts, at most 10^9.
    public var callsPerSecond: Double
    /// Most calls at once after a pause; at least 1.
    public var burst: Int

    /// Creates a limit.
    ///
    /// - Parameters:
    ///   - callsPerSecond: Calls in a second in the long run.
    ///   - burst: Most calls at once; by default a tenth of a second's, at least 1.
    public init(callsPerSecond: Double, burst: Int? = nil) {
        self.callsPerSecond = callsPerSecond
        self.burst = burst ?? Int(max(1, min(callsPerSecond, 1e9) / 10))
    }
}

/// The decisions of a ``RateLimit``: times in, verdicts out; no clock.
///
/// It keeps one number: when the last of the calls that were taken would be due if they came
/// evenly.
struct TokenBucket {
    /// Nanoseconds between calls that come evenly.
    private let spacing: UInt64
    /// How far ahead of the clock calls may be taken.
    private let tolerance: UInt64
    private var due: UInt64 = 0

    private static let day = 86_400e9

    init(_ limit: RateLimit) {
        let rate = limit.callsPerSecond
        // Not a number and less than nothing mean the slowest rate there is.
        spacing = rate > 0 ? UInt64(min(max(1e9 / rate, 1), Self.day)) : UInt64(Self.day)
        let (product, overflow) = spacing.multipliedReportingOverflow(
            by: UInt64(max(1, limit.burst) - 1)
        )
        tolerance = overflow ? .max : product
    }

    /// Whether a call that comes now is taken; `now` is in nanoseconds of a clock that does not go
    /// back.
    mutating func take(now: UInt64) -> Bool {
        let start = max(due, now)
        guard start - now <= tolerance else { return false }
        let (next, overflow) = start.addingReportingOverflow(spacing)
        due = overflow ? .max : next
        return true
    }
}
