public import NetpollProtobuf

/// Attaches an access token to every call of a client, as metadata for one hop.
///
/// The token travels as it is: on a network that others can read, it needs a secure channel. Any
/// thread.
public struct ClientTokenInterceptor: ClientInterceptor {
    private let key: String
    private enum Source {
        case constant(AccessToken)
        case function(@Sendable () async throws -> AccessToken)
    }
    private let source: Source

    /// Creates an interceptor.
    ///
    /// - Parameters:
    ///   - key: The metadata key; it replaces a value that the caller set.
    ///   - token: Asked before every call, in a task of its own, so that a token can be renewed; it
    ///     may wait, and is cancelled at the call's deadline. What it throws ends the call.
    public init(
        key: String = AccessToken.defaultKey,
        token: @escaping @Sendable () async throws -> AccessToken
    ) {
        self.key = key
        source = .function(token)
    }

    /// Creates an interceptor for a token that stays the same.
    public init(_ token: AccessToken, key: String = AccessToken.defaultKey) {
        self.key = key
        source = .constant(token)
    }

    /// Makes the call with the token.
    ///
    /// - Throws: What the call or the source of tokens throws.
    public func intercept<Request: Message, Response: Message>(
        _ call: ClientCall<Request>,
        next: (ClientCall<Request>) async throws -> ClientReply<Response>
    ) async throws -> ClientReply<Response> {
        var call = call
        let token: AccessToken
        switch source {
        case .constant(let constant): token = constant
        case .function(let function): token = try await call.beforeDeadline(function)
        }
        call.options.metadata[key] = token.text
        return try await next(call)
    }
}
