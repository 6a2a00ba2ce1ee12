public import NetpollCore

/// How a client connects and how long it waits.
///
/// Values are copied at creation.
public struct RPCClientOptions: Sendable {
    /// How calls share connections.
    public enum Connections: Sendable, Hashable {
        /// Many calls at a time on each of `count` connections. The server must multiplex: this
        /// toolkit's servers do, Kitex's do with `WithMuxTransport`. A count below 1 is taken as 1,
        /// one above 256 as 256.
        case multiplexed(count: Int = 2)
        /// One call at a time on each connection, at most `limit` of them; for any Kitex server. A
        /// limit below 1 is taken as 1.
        case pooled(limit: Int = 256)

        static let multiplexedLimit = 256

        var isPooled: Bool {
            if case .pooled = self { true } else { false }
        }
    }

    /// How calls share connections.
    ///
    /// Default: multiplexed on 2.
    public var connections: Connections = .multiplexed()
    /// How long a call may take unless it says otherwise, dialling included.
    ///
    /// Default 30 s.
    public var timeout: Duration = .seconds(30)
    /// How long making a connection may take.
    ///
    /// Default 1 s.
    public var connectTimeout: Duration = .seconds(1)
    /// Most calls in flight on one connection; more fail with `resourceExhausted`.
    ///
    /// Default 65,536.
    public var inFlightLimit = 65_536
    /// How long a connection may have no call before it is closed, a multiplexed one up to a quarter
    /// longer; the next call connects again.
    ///
    /// Keep it below the server's idle time, 10 minutes here and in Kitex: then a call does not meet
    /// a connection that is about to close. Default 60 s.
    public var idleTimeout: Duration = .seconds(60)
    /// The service that this client says it is, for logs and metrics of servers; at most 65,535
    /// bytes.
    ///
    /// Default empty: it does not say.
    public var serviceName = ""
    /// How long an address is left alone after failed dials; calls that would need a dial meanwhile
    /// fail at once, or go to another endpoint.
    ///
    /// Default: 50 ms, 1.6 times as long each time, at most 500 ms.
    public var dialBackOff = BackOff()
    /// What to do about calls that fail or take long, unless ``CallOptions/retryPolicy`` says
    /// otherwise; `nil`: only calls that never ran are made again.
    ///
    /// Default `nil`.
    public var retryPolicy: RetryPolicy?
    /// How many retries and hedges all calls together may cause.
    ///
    /// Default: a tenth of the calls after failures, a twentieth beside slow ones, and ten of
    /// either.
    public var retryBudget = RetryBudget()
    /// How to choose among several endpoints.
    ///
    /// Default: each in turn.
    public var loadBalancer = LoadBalancer.roundRobin
    /// When to leave an endpoint out that fails; `nil`: never.
    ///
    /// Default: ``CircuitBreakerOptions/init()``. Needs several endpoints, so it costs a client of
    /// one address nothing.
    public var circuitBreaker: CircuitBreakerOptions? = CircuitBreakerOptions()
    /// Most endpoints that a client uses; of a longer list the first are taken.
    ///
    /// Default 1,000.
    public var endpointLimit = 1000
    /// Most endpoints that one attempt of a call may try until one takes it.
    ///
    /// Default 5.
    public var moveLimit = 5
    /// Most calls that may wait for the first list of a resolver; more fail with
    /// `resourceExhausted`.
    ///
    /// Default 10,000.
    public var resolutionWaiterLimit = 10_000
    /// Most calls that may wait for a connection to one address, and most that may wait on one
    /// connection until its server takes bytes again; more fail with `resourceExhausted`.
    ///
    /// Default 10,000.
    public var connectionWaiterLimit = 10_000
    /// Bounds of frames, sent and received.
    public var limits = WireLimits()
    /// Whether requests carry a checksum, and replies must.
    ///
    /// Default ``PayloadChecksum/off``; Kitex servers understand it.
    public var checksum = PayloadChecksum.off
    /// The options of the connections.
    public var connection = ConnectionOptions()

    /// Creates the defaults.
    public init() {}
}
