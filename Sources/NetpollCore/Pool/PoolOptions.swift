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
    /// How long a connection may stay idle.
    ///
    /// Default 60 s; keep it below the server's idle timeout.
    public var idleTimeout: Duration = .seconds(60)
    /// Most callers that may wait; one more fails with `limitExceeded`.
    ///
    /// Default 10,000.
    public var waiterLimit = 10_000

    /// Creates the defaults.
    public init() {}
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
}
