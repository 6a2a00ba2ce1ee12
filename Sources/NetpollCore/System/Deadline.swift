#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// A point in time on the monotonic clock, in nanoseconds.
///
/// Setting the wall clock does not move it. Arithmetic saturates, so no timeout can overflow.
public struct Deadline: Sendable, Hashable, Comparable {
    /// Nanoseconds since an arbitrary start (`CLOCK_MONOTONIC`).
    public let uptimeNanoseconds: UInt64

    /// Creates a deadline at an uptime.
    public init(uptimeNanoseconds: UInt64) { self.uptimeNanoseconds = uptimeNanoseconds }

    /// A deadline that never passes.
    public static let distantFuture = Deadline(uptimeNanoseconds: .max)

    /// The present.
    public static func now() -> Deadline {
        var time = timespec()
        // clock_gettime(2) cannot fail for CLOCK_MONOTONIC and a valid pointer.
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Deadline(
            uptimeNanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
        )
    }

    /// The point that lies `timeout` after now; a negative timeout gives now.
    public static func after(_ timeout: Duration) -> Deadline { now().advanced(by: timeout) }

    /// The point that lies `duration` later, saturating; a negative duration changes nothing.
    public func advanced(by duration: Duration) -> Deadline {
        let (sum, overflow) = uptimeNanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        return overflow ? .distantFuture : Deadline(uptimeNanoseconds: sum)
    }

    /// The time left from `start`; zero when it has passed.
    public func timeRemaining(from start: Deadline = .now()) -> Duration {
        guard self > start else { return .zero }
        let left = uptimeNanoseconds - start.uptimeNanoseconds
        return .nanoseconds(Int64(clamping: left))
    }

    /// Whether one deadline comes before another.
    public static func < (left: Deadline, right: Deadline) -> Bool {
        left.uptimeNanoseconds < right.uptimeNanoseconds
    }
}

extension Duration {
    /// Nanoseconds, clamped to 0 ...
    ///
    /// `UInt64.max`.
    package var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (scaled, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return .max }
        let (sum, carry) = scaled.addingReportingOverflow(UInt64(attoseconds) / 1_000_000_000)
        return carry ? .max : sum
    }

    /// Whole milliseconds, rounded up and clamped to 0 ...
    ///
    /// `Int.max`.
    public var wholeMilliseconds: Int {
        let nanoseconds = wholeNanoseconds
        let rounded = nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 == 0 ? 0 : 1)
        return Int(clamping: rounded)
    }
}
