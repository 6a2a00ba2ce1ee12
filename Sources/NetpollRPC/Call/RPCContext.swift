public import NetpollCore

/// What a handler may know about the call it serves, and say beside its reply.
///
/// The handler's task is cancelled when the caller's deadline passes or the caller's connection
/// breaks. Any thread.
public final class RPCContext: Sendable {
    /// The call that the current task serves, or `nil` outside of handlers.
    ///
    /// Tasks that a handler starts with `async let`, in groups or by `Task` inherit it.
    public static var current: RPCContext? { ContextHolder.current?.context }

    /// The service that was called.
    public let service: ServiceDescriptor
    /// The method that was called.
    public let method: String
    /// When the caller stops waiting; `.distantFuture` if it did not say.
    public let deadline: Deadline
    /// Metadata that the caller sent to this server alone.
    public let metadata: Metadata
    /// Metadata that is meant for every server along the way.
    public let persistentMetadata: Metadata
    /// The service that the caller says it is, or `nil` if it does not say; unproven.
    public let callerService: String?
    /// How the request came; metadata and business errors travel on `.ttHeaderFramed` only.
    public let transport: Transport

    private let peer: Peer
    private let response = Locked(Metadata())

    /// Who calls; a connection makes its address only when somebody asks.
    enum Peer: Sendable {
        case connection(Connection)
        case address(SocketAddress)
    }

    init(
        service: ServiceDescriptor,
        method: String,
        deadline: Deadline,
        metadata: Metadata,
        persistentMetadata: Metadata,
        transport: Transport,
        callerService: String? = nil,
        peer: Peer
    ) {
        self.service = service
        self.method = method
        self.deadline = deadline
        self.metadata = metadata
        self.persistentMetadata = persistentMetadata
        self.transport = transport
        self.callerService = callerService
        self.peer = peer
    }

    /// The caller's address; `unix://` with an empty path for one in the same process.
    public var peerAddress: SocketAddress {
        switch peer {
        case .connection(let connection): connection.peerAddress
        case .address(let address): address
        }
    }

    /// `package.Service/Method`.
    var fullMethodName: String { "\(service.fullName)/\(method)" }

    /// Metadata to send with the reply.
    ///
    /// Names that the protocol uses itself are not sent.
    public var responseMetadata: Metadata {
        get { response.withLock { $0 } }
        set { response.withLock { $0 = newValue } }
    }
}
