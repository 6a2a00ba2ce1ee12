public import Metrics
public import NetpollCore
public import NetpollProtobuf

/// Measures every call of a client: `rpc.client.call.duration`, a histogram in seconds.
///
/// Its dimensions are those of OpenTelemetry's conventions: `rpc.system.name` (`kitex`),
/// `rpc.method`, `rpc.status_code` (`ok`, the name of an ``RPCError/Code`` or `businessError`), for
/// a call that failed `error.type`, and `server.address` and `server.port` if the server is given.
/// One value for each call, retries included. Any thread.
///
/// Bounds of the histogram's buckets are the backend's to choose; the conventions advise 0.005,
/// 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5 and 10 s.
public struct ClientMetricsInterceptor: ClientInterceptor {
    private let timers: CallTimers
    private let now: @Sendable () -> Deadline

    /// Creates an interceptor.
    ///
    /// - Parameters:
    ///   - server: What `server.address` and `server.port` say: by the conventions they name a group
    ///     of servers, so by default nothing is said and not which one answered, and the number of
    ///     histograms does not grow with the endpoints of a resolver.
    ///   - methodLimit: How many methods are told apart; calls of further ones are counted under
    ///     `_OTHER`.
    ///   - factory: Where the values go; by default the factory of `MetricsSystem`.
    public init(
        server: SocketAddress? = nil,
        methodLimit: Int = 1000,
        factory: (any MetricsFactory)? = nil
    ) {
        self.init(server: server, methodLimit: methodLimit, factory: factory, now: { .now() })
    }

    init(
        server: SocketAddress?,
        methodLimit: Int,
        factory: (any MetricsFactory)?,
        now: @escaping @Sendable () -> Deadline
    ) {
        var dimensions: [(String, String)] = []
        if let (address, port) = server?.attributes {
            dimensions.append((SemanticConventions.serverAddress, address))
            if let port { dimensions.append((SemanticConventions.serverPort, "\(port)")) }
        }
        timers = CallTimers(
            label: SemanticConventions.clientDuration,
            dimensions: dimensions,
            methodLimit: methodLimit,
            factory: factory
        )
        self.now = now
    }

    /// Makes the call and records how long it took.
    ///
    /// - Throws: What the call throws.
    public func intercept<Request: Message, Response: Message>(
        _ call: ClientCall<Request>,
        next: (ClientCall<Request>) async throws -> ClientReply<Response>
    ) async throws -> ClientReply<Response> {
        let start = now()
        func record(_ outcome: CallOutcome) {
            timers.record(
                now().timeRemaining(from: start),
                method: call.method.fullName,
                outcome
            )
        }
        do {
            let reply = try await next(call)
            record(.success)
            return reply
        } catch {
            record(.ofClient(error))
            throw error
        }
    }
}
