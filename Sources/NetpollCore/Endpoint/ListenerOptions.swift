/// How a listener accepts.
public struct ListenerOptions: Sendable {
    /// Connections that may wait in the kernel to be accepted; the system may lower it.
    ///
    /// Default 1024.
    public var backlog = 1024
    /// Most open connections; more are accepted and closed at once.
    ///
    /// An RPC server first answers the calls of up to 64 of those at a time with the advice to try
    /// another server.
    ///
    /// Default 10,000.
    public var connectionLimit = 10_000
    /// Lets several listeners share one TCP port, each with a queue of its own (`SO_REUSEPORT`,
    /// socket(7)).
    ///
    /// Default false.
    public var reusesPort = false
    /// Whether a listener on an IPv6 address takes IPv6 peers only (`IPV6_V6ONLY`, ipv6(7)).
    ///
    /// Default `nil`: the system's choice.
    public var acceptsIPv6Only: Bool?
    /// Asked with the peer's address before a connection is registered; one that is not wanted is
    /// closed at once and counts nowhere.
    ///
    /// Called on the listener's loop; must not block. Default `nil`: everybody is welcome.
    public var admits: (@Sendable (SocketAddress) -> Bool)?
    /// The options of accepted connections.
    public var connection = ConnectionOptions()

    /// Creates the defaults.
    public init() {}
}
