public import Metrics
internal import NetpollCore
public import NetpollProtobuf

/// Measures every call that a server serves: `rpc.server.call.duration`, a histogram in seconds.
///
/// Its dimensions are those of OpenTelemetry's conventions: `rpc.system.name` (`kitex`),
/// `rpc.method`, `rpc.status_code` (`ok`, the name of the ``RPCError/Code`` that the caller gets,
/// or `businessError`), and for a call that failed `error.type`. A call that reaches no handler,
/// because its method is unknown, its request cannot be read or a limit was reached, counts with a
/// duration of 0, and without a method that the server has under `_OTHER`. Any thread.
///
/// Bounds of the histogram's buckets are the backend's to choose; the conventions advise 0.005,
/// 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5 and 10 s.
public struct ServerMetricsInterceptor: ServerInterceptor {
    private let timers: CallTimers
    private let now: @Sendable () -> Deadline

    /// Creates an interceptor.
    ///
    /// - Parameters:
    ///   - methodLimit: How many methods are told apart; calls of further ones are counted under
    ///     `_OTHER`.
    ///   - factory: Where the values go; by default the factory of `MetricsSystem`.
    public init(methodLimit: Int = 1000, factory: (any MetricsFactory)? = nil) {
        self.init(methodLimit: methodLimit, factory: factory, now: { .now() })
    }

    init(
        methodLimit: Int,
        factory: (any MetricsFactory)?,
        now: @escaping @Sendable () -> Deadline
    ) {
        timers = CallTimers(
            label: SemanticConventions.serverDuration,
            dimensions: [],
            methodLimit: methodLimit,
            factory: factory
        )
        self.now = now
    }

    /// Runs the handler and records how long it took.
    ///
    /// - Throws: What the handler throws.
    public func intercept<Request: Message, Response: Message>(
        _ request: Request,
        _ context: RPCContext,
        next: (Request, RPCContext) async throws -> Response
    ) async throws -> Response {
        let start = now()
        func record(_ outcome: CallOutcome) {
            timers.record(
                now().timeRemaining(from: start),
                method: context.fullMethodName,
                outcome
            )
        }
        do {
            let response = try await next(request, context)
            record(.success)
            return response
        } catch {
            record(.ofServer(error))
            throw error
        }
    }

    /// Records a call that was refused.
    public func didRefuse(_ call: RefusedCall) {
        timers.record(
            .zero,
            method: call.method ?? SemanticConventions.otherMethod,
            .ofServer(call.error)
        )
    }
}
