/// Seconds and nanoseconds that may need a carry; at the ends of `Int64` the seconds stop.
struct SecondsAndNanos {
    private static let second: Int64 = 1_000_000_000
    private let seconds: Int64
    /// Less than a second either way.
    private let nanos: Int64

    init(_ seconds: Int64, _ nanos: Int64) {
        self.seconds = seconds.clampingAdd(nanos / Self.second)
        self.nanos = nanos % Self.second
    }

    /// Rounds to the nanosecond.
    init(_ interval: Double) {
        let whole = interval.rounded(.towardZero)
        guard let seconds = Int64(exactly: whole) else {
            // Too large for an Int64, or no number.
            self.init(interval.isNaN ? 0 : interval < 0 ? .min : .max, 0)
            return
        }
        self.init(seconds, Int64(((interval - whole) * 1e9).rounded()))
    }

    /// With nanoseconds from 0 to 999,999,999, as timestamps have them.
    var floored: (seconds: Int64, nanos: Int32) {
        nanos < 0
            ? (seconds.clampingSubtract(1), Int32(nanos + Self.second)) : (seconds, Int32(nanos))
    }

    /// With both of the same sign, as durations have them.
    var signed: (seconds: Int64, nanos: Int32) {
        if seconds > 0, nanos < 0 { return (seconds - 1, Int32(nanos + Self.second)) }
        if seconds < 0, nanos > 0 { return (seconds + 1, Int32(nanos - Self.second)) }
        return (seconds, Int32(nanos))
    }
}

extension Int64 {
    /// The sum, or the end of the range that it would pass.
    func clampingAdd(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    /// The difference, or the end of the range that it would pass.
    func clampingSubtract(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }
}
