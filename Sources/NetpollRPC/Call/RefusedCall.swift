public import NetpollCore

/// A call that a server answered with an error before any interceptor or handler saw it: its method
/// is unknown, its request cannot be read, or a limit was reached.
public struct RefusedCall: Sendable {
    /// `package.Service/Method`, or `nil` when the request names no method that the server has.
    public let method: String?
    /// What the caller gets.
    public let error: RPCError
    private let peer: @Sendable () -> SocketAddress

    init(method: String?, error: RPCError, peer: @escaping @Sendable () -> SocketAddress) {
        self.method = method
        self.error = error
        self.peer = peer
    }

    /// The caller's address.
    public var peerAddress: SocketAddress { peer() }
}
