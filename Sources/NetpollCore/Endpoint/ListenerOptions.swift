/// How a listener accepts.
public struct ListenerOptions: Sendable {
    /// Connections that may wait in the kernel to be accepted; the system may lower it.
    ///
    /// Default 1024.
    public var backlog = 1024
    /// Most open connections; more are accepted and closed at once.
    ///
    /// Default 10,000.
    public var connectionLimit = 10_000
    /// The options of accepted connections.
    public var connection = ConnectionOptions()

    /// Creates the defaults.
    public init() {}
}
