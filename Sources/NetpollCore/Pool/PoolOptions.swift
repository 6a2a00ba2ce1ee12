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
    /// A bound on idle connections that several pools share.
    ///
    /// Default `nil`: none.
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
    /// How long an address is left alone after failed dials; callers meanwhile get the last dial's
    /// error at once.
    ///
    /// The first failure after a connection was of use is forgiven: the next dial is at once. A
    /// connection that its peer ends before anybody used it counts as a failure, and see
    /// ``Poolable/endedWithoutUse``.
    public var backOff = BackOff()

    /// Creates the defaults.
    public init() {}
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
