public import NetpollProtobuf

/// Runs around every handler of a server.
///
/// It sees requests that were decoded and admitted, and is told of the others. The first
/// interceptor of a server is the outermost. It runs where the handler runs: on an event loop it
/// must not block. Many calls at a time.
///
/// In a module without the upcoming feature `NonisolatedNonsendingByDefault` the type of `next` is
/// written `nonisolated(nonsending) (Request, RPCContext) async throws -> Response`.
public protocol ServerInterceptor: Sendable {
    /// Calls `next` with the request, changed or not, and returns what it returns, changed or not;
    /// or answers by itself.
    ///
    /// - Throws: What the caller shall see, by the rules for handlers.
    func intercept<Request: Message, Response: Message>(
        _ request: Request,
        _ context: RPCContext,
        next: (Request, RPCContext) async throws -> Response
    ) async throws -> Response

    /// A call was answered with an error that will reach no interceptor and no handler.
    ///
    /// Called where the refusal is made, most often on the connection's loop: must not block. A peer
    /// decides how often.
    func didRefuse(_ call: RefusedCall)
}

extension ServerInterceptor {
    /// Does nothing.
    public func didRefuse(_ call: RefusedCall) {}
}
