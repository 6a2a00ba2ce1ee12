internal import Synchronization

/// The bounds of a connection pool.
public struct PoolOptions: Sendable {
    /// Most connections at a time, lent and idle together; callers wait for one.
    ///
    /// Default 256.
    public var connectionLimit = 256
    /// Most idle connections; one given back beyond that is closed.
    ///
    /// Default 64.
    public var idleLimit = 64
    /// A bound on idle connections that several pools share; `nil` for none.
    public var idleBudget: IdleBudget?
    /// How many idle connections are kept ready, dialled before anybody asks and again when one is
    /// lent or lost; within ``connectionLimit``, ``idleLimit`` and ``idleBudget``.
    ///
    /// Default 0. A pool that keeps some lives until ``ConnectionPool/close()``.
    public var minimumIdle = 0
    /// How long a connection may stay idle; ``minimumIdle`` of them may for ever.
    ///
    /// Default 60 s; keep it below the server's idle timeout.
    public var idleTimeout: Duration = .seconds(60)
    /// Most callers that may wait; one more fails with `limitExceeded`.
    ///
    /// Default 10,000.
    public var waiterLimit = 10_000
    /// What follows a failed dial.
    public var backOff = BackOff()

    /// Creates the defaults.
    public init() {}

    /// How long a pool leaves an address alone after failed dials; callers meanwhile get the last
    /// dial's error at once.
    ///
    /// The first failure after a connection was of use is forgiven: the next dial is at once. A
    /// connection that is closed before anybody used it counts as a failure.
    public struct BackOff: Sendable, Hashable {
        /// The time after the first failure.
        ///
        /// Default 50 ms.
        public var initial: Duration = .milliseconds(50)
        /// What each further failure multiplies it by.
        ///
        /// Default 1.6, as gRPC's connection back-off.
        public var factor = 1.6
        /// The longest time.
        ///
        /// Default 500 ms: short, because callers fail meanwhile.
        public var limit: Duration = .milliseconds(500)
        /// The share by which each time is varied, so that clients do not come back together.
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
        func delay(after failures: Int, random: Double) -> Duration {
            var delay = initial
            for _ in 1..<max(1, min(failures, 64)) where delay < limit { delay = delay * factor }
            return min(delay, limit) * (1 + jitter * (2 * random - 1))
        }
    }
}

/// A bound on idle connections that pools share.
///
/// Any thread.
public final class IdleBudget: Sendable {
    /// Most idle connections in all pools together.
    public let limit: Int
    private let count = Atomic<Int>(0)

    /// Creates a budget.
    public init(limit: Int) { self.limit = limit }

    /// How many connections are idle now.
    public var idleCount: Int { count.load(ordering: .relaxed) }

    func take() -> Bool {
        guard count.wrappingAdd(1, ordering: .relaxed).newValue <= limit else {
            count.wrappingSubtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    var hasRoom: Bool { idleCount < limit }

    func giveBack() { count.wrappingSubtract(1, ordering: .relaxed) }
}

/// What a pool holds at one moment.
public struct PoolStatistics: Sendable, Hashable {
    /// Open connections, lent and idle.
    public let live: Int
    /// Connections that wait for a caller.
    public let idle: Int
    /// Dials under way.
    public let dialing: Int
    /// Callers that wait for a connection.
    public let waiting: Int
    /// How many times a caller got an idle connection, since the pool was made.
    public let reused: Int
    /// How many dials have failed, since the pool was made.
    public let failedDials: Int
}
