public import NetpollCore

/// How a client connects and how long it waits.
///
/// Values are copied at creation.
public struct RPCClientOptions: Sendable {
    /// How calls share connections.
    public enum Connections: Sendable, Hashable {
        /// Many calls at a time on each of `count` connections. The server must multiplex: this
        /// toolkit's servers do, Kitex's do with `WithMuxTransport`.
        case multiplexed(count: Int = 2)
        /// One call at a time on each connection, at most `limit` of them; for any Kitex server.
        case pooled(limit: Int = 256)

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
    /// How long a pooled connection may stay idle.
    ///
    /// Default 60 s.
    public var idleTimeout: Duration = .seconds(60)
    /// The service that this client says it is, for logs and metrics of servers; at most 65,535
    /// bytes.
    ///
    /// Default empty: it does not say.
    public var serviceName = ""
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
