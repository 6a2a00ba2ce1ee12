public import Logging
internal import NetpollCore
public import NetpollProtobuf

/// Logs every call that a server serves, one line when its handler ends, and gives the handler a
/// logger that says which call it serves.
///
/// A line has the metadata `rpc.method`, `rpc.status_code`, `duration_ms` and `peer`, and when the
/// handler failed the error. A call that reached no handler leaves a line too, without a duration,
/// and without a method if the server has none of that name. What the handler logs with
/// `Logger.current` has `rpc.method` and `peer`. Messages never contain values; request and reply
/// messages and call metadata are not logged. On the handler's loop.
public struct ServerLoggingInterceptor: ServerInterceptor {
    private let logger: Logger
    private let levels: CallLogLevels
    private let now: @Sendable () -> Deadline

    /// Creates an interceptor.
    ///
    /// - Parameters:
    ///   - logger: Where to log, and what the handlers' loggers are made of.
    ///   - levels: The levels of the lines.
    public init(logger: Logger, levels: CallLogLevels = CallLogLevels()) {
        self.init(logger: logger, levels: levels, now: { .now() })
    }

    init(logger: Logger, levels: CallLogLevels, now: @escaping @Sendable () -> Deadline) {
        self.logger = logger
        self.levels = levels
        self.now = now
    }

    /// Runs the handler and logs how it ended.
    ///
    /// - Throws: What the handler throws.
    public func intercept<Request: Message, Response: Message>(
        _ request: Request,
        _ context: RPCContext,
        next: (Request, RPCContext) async throws -> Response
    ) async throws -> Response {
        let method = context.fullMethodName
        var logger = logger
        logger[metadataKey: SemanticConventions.method] = "\(method)"
        logger[metadataKey: "peer"] = "\(context.peerAddress)"
        let line = CallLogLine(logger: logger, levels: levels, method: method, start: now())
        do {
            let response = try await withLogger(logger) { _ in
                try await next(request, context)
            }
            line.log(.success, nil, at: now())
            return response
        } catch {
            line.log(.ofServer(error), error, at: now())
            throw error
        }
    }

    /// Logs that a call was refused.
    public func didRefuse(_ call: RefusedCall) {
        guard levels.refusal >= logger.logLevel else { return }
        var metadata: Logger.Metadata = [
            SemanticConventions.statusCode: "\(call.error.code)",
            "peer": "\(call.peerAddress)", "error": "\(call.error)",
        ]
        if let method = call.method { metadata[SemanticConventions.method] = "\(method)" }
        logger.log(level: levels.refusal, "call refused", metadata: metadata)
    }
}
