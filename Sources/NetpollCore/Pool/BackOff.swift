/// How long to leave something alone that failed: longer with each failure in a row, and never the
/// same time for everybody.
public struct BackOff: Sendable, Hashable {
    /// The time after the first failure.
    ///
    /// Default 50 ms.
    public var initial: Duration = .milliseconds(50)
    /// What each further failure multiplies it by, at least 1.
    ///
    /// Default 1.6, as gRPC's connection back-off.
    public var factor = 1.6
    /// The longest time, before jitter.
    ///
    /// Default 500 ms: short, because callers fail meanwhile.
    public var limit: Duration = .milliseconds(500)
    /// The share by which each time is varied, from 0 to 1, so that clients do not come back
    /// together.
    ///
    /// Default 0.2.
    public var jitter = 0.2

    /// Creates the defaults.
    public init() {}

    /// The time after some number of failures in a row.
    ///
    /// - Parameters:
    ///   - failures: At least 1.
    ///   - random: A number from 0 up to 1 that places the time within the jitter.
    /// - Returns: The time.
    public func delay(after failures: Int, random: Double) -> Duration {
        let longest = Double(limit.wholeNanoseconds)
        var delay = Double(initial.wholeNanoseconds)
        // In this order `max` and `min` take the number when the other is none.
        for _ in 1..<max(1, min(failures, 64)) where delay < longest { delay *= max(1, factor) }
        let spread = min(1, max(0, jitter)) * (2 * random - 1)
        let nanoseconds = min(longest, delay) * (1 + spread)
        return .nanoseconds(Int64(exactly: nanoseconds.rounded()) ?? .max)
    }
}

/// When an address may be dialled again: pure, no clock.
///
/// The first failure after a connection was of use is forgiven: a server that was up is most likely
/// restarting, so the next dial is at once.
package struct DialBackOff: Sendable {
    /// The end of the present back-off, and the failure that callers get until then.
    package private(set) var end: (deadline: Deadline, error: NetpollError)?
    private let options: BackOff
    private var failuresInRow = 0
    private var isForgiving = false
    /// Whether there was a connection since the last one ended without use.
    private var hasConnected = false
    private var random: UInt64

    /// Creates one that has seen nothing; `seed` decides the jitter.
    package init(_ options: BackOff, seed: UInt64) {
        self.options = options
        random = seed
    }

    /// What to tell a caller who would need a dial now.
    package func refusal(now: Deadline) -> NetpollError? {
        guard let end, now < end.deadline else { return nil }
        return end.error
    }

    /// A dial made a connection.
    package mutating func connected() {
        end = nil
        hasConnected = true
    }

    /// A connection was of use to somebody.
    package mutating func wasUseful() {
        failuresInRow = 0
        isForgiving = true
    }

    /// A dial failed, or its connection was of no use.
    package mutating func failed(_ error: NetpollError, now: Deadline) {
        failuresInRow += 1
        if isForgiving {
            isForgiving = false
        } else {
            let delay = options.delay(after: failuresInRow, random: nextRandom())
            end = (now.advanced(by: delay), error)
        }
    }

    /// The peer ended a connection that had been of no use; the first such end in a row is forgiven,
    /// because it may have met a server that was about to end.
    ///
    /// Of connections that end together one counts.
    package mutating func endedUnused(_ error: NetpollError, now: Deadline) {
        guard hasConnected else { return }
        hasConnected = false
        if failuresInRow == 0 { failuresInRow = 1 } else { failed(error, now: now) }
    }

    /// Time has passed.
    package mutating func expire(now: Deadline) {
        if let end, end.deadline <= now { self.end = nil }
    }

    /// A number from 0 up to 1 (SplitMix64).
    private mutating func nextRandom() -> Double {
        random &+= 0x9E37_79B9_7F4A_7C15
        var mixed = random
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((mixed ^ (mixed >> 31)) >> 11) / Double(1 << 53)
    }
}
