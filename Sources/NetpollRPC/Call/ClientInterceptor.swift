public import NetpollCore
public import NetpollProtobuf

/// What a client interceptor may see and change of a call before it is sent.
public struct ClientCall<Request: Message>: Sendable {
    /// The method that is called.
    public let method: MethodDescriptor
    /// The request message.
    public var request: Request
    /// When the caller gives up.
    public let deadline: Deadline
    /// Metadata and more.
    public var options: CallOptions

    /// Creates a call.
    public init(
        method: MethodDescriptor,
        request: Request,
        deadline: Deadline,
        options: CallOptions
    ) {
        self.method = method
        self.request = request
        self.deadline = deadline
        self.options = options
    }
}

/// What came back for a call.
public struct ClientReply<Response: Message>: Sendable {
    /// The reply message.
    public var message: Response
    /// Metadata that the server sent with it.
    public var metadata: Metadata

    /// Creates a reply.
    public init(message: Response, metadata: Metadata = Metadata()) {
        self.message = message
        self.metadata = metadata
    }
}

/// Runs around every call of a client: once for each call, retries included.
///
/// The first interceptor of a client is the outermost. Any thread, many calls at a time.
///
/// In a module without the upcoming feature `NonisolatedNonsendingByDefault` the type of `next` is
/// written `nonisolated(nonsending) (ClientCall<Request>) async throws -> ClientReply<Response>`.
public protocol ClientInterceptor: Sendable {
    /// Calls `next` with the call, changed or not, and returns what it returns, changed or not; or
    /// answers by itself.
    ///
    /// - Throws: What the caller shall see: ``RPCError``, ``BusinessError``, or an error of its own.
    func intercept<Request: Message, Response: Message>(
        _ call: ClientCall<Request>,
        next: (ClientCall<Request>) async throws -> ClientReply<Response>
    ) async throws -> ClientReply<Response>
}
