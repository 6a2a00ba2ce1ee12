public import NetpollProtobuf

/// Lets only those calls pass that bring an access token.
///
/// Others fail with ``RPCError/Code/unauthenticated`` and the advice never to retry; the error does
/// not tell a missing token from a wrong one. Comparison takes the same time whether a token is
/// nearly right or all wrong. Calls on Framed carry no metadata, so they never pass. On the
/// handler's loop.
public struct ServerTokenInterceptor: ServerInterceptor {
    private let key: String
    private let isAccepted: @Sendable (_ token: String, RPCContext) async throws -> Bool

    /// Creates an interceptor that accepts any of some tokens; more than one let a token be
    /// replaced without a gap.
    ///
    /// - Parameters:
    ///   - key: The metadata key.
    ///   - tokens: The tokens; with none, no call passes.
    public init(key: String = AccessToken.defaultKey, accepting tokens: [AccessToken]) {
        self.init(key: key) { candidate, _ in
            // All are compared, so that the time does not tell which one is close.
            tokens.reduce(false) { found, token in
                let matches = token.matches(candidate)
                return found || matches
            }
        }
    }

    /// Creates an interceptor that asks a function.
    ///
    /// - Parameters:
    ///   - key: The metadata key.
    ///   - isAccepted: Whether the call with this token may run; what it throws the caller gets, by
    ///     the rules for handlers. Must not block its thread.
    public init(
        key: String = AccessToken.defaultKey,
        isAccepted: @escaping @Sendable (_ token: String, RPCContext) async throws -> Bool
    ) {
        self.key = key
        self.isAccepted = isAccepted
    }

    /// Runs the handler if the call brings an accepted token.
    ///
    /// - Throws: ``RPCError`` with code `unauthenticated`.
    public func intercept<Request: Message, Response: Message>(
        _ request: Request,
        _ context: RPCContext,
        next: (Request, RPCContext) async throws -> Response
    ) async throws -> Response {
        guard let token = context.metadata[key], try await isAccepted(token, context) else {
            throw RPCError(
                .unauthenticated,
                "the call needs a valid access token",
                exceptionID: WireFormat.ExceptionID.internalError,
                retry: .never
            )
        }
        return try await next(request, context)
    }
}
