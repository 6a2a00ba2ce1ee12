internal import NetpollCore
public import NetpollProtobuf

/// Bounds how long the calls of a client may take, each method's by itself, whatever its callers ask
/// for.
///
/// What callers ask for stays the deadline if it is shorter. The server learns the time that results,
/// as of every call. Handlers are bounded by ``DeadlinePolicy``. Any thread.
public struct ClientDeadlineInterceptor: ClientInterceptor {
    private let limit: Duration?
    private let limits: [String: Duration]

    /// Creates an interceptor.
    ///
    /// - Parameters:
    ///   - limit: The longest time of a call; `nil` for no bound. Retries are included.
    ///   - limits: The same for single methods, by `package.Service/Method`, instead of `limit`. With
    ///     zero or less calls fail at once with `deadlineExceeded`.
    public init(limit: Duration? = nil, byMethod limits: [String: Duration] = [:]) {
        self.limit = limit
        self.limits = limits
    }

    /// Makes the call within its limit.
    ///
    /// - Throws: What the call throws.
    public func intercept<Request: Message, Response: Message>(
        _ call: ClientCall<Request>,
        next: (ClientCall<Request>) async throws -> ClientReply<Response>
    ) async throws -> ClientReply<Response> {
        guard let limit = limits[call.method.fullName] ?? limit else { return try await next(call) }
        var call = call
        call.deadline = min(call.deadline, call.now.advanced(by: limit))
        return try await next(call)
    }
}
