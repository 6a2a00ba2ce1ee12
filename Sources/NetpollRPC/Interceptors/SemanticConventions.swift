internal import NetpollCore

/// Names of the OpenTelemetry semantic conventions for RPC, as far as they are used here.
enum SemanticConventions {
    static let clientDuration = "rpc.client.call.duration"
    static let serverDuration = "rpc.server.call.duration"
    static let system = "rpc.system.name"
    static let method = "rpc.method"
    static let statusCode = "rpc.status_code"
    static let errorType = "error.type"
    static let serverAddress = "server.address"
    static let serverPort = "server.port"
    static let peerAddress = "network.peer.address"
    static let peerPort = "network.peer.port"

    /// The system is told by what is on the wire.
    static let systemName = "kitex"
    /// Stands for methods beyond those that a metric tells apart.
    static let otherMethod = "_OTHER"
}

extension SocketAddress {
    /// The host or path, and the port of a TCP address, as attributes tell them.
    var attributes: (address: String, port: Int?) {
        switch self {
        case .tcp(let host, let port): (host, port)
        case .unix(let path): (path, nil)
        }
    }
}
