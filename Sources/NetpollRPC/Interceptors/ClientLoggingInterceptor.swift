public import Logging
internal import NetpollCore
public import NetpollProtobuf

/// Logs every call of a client: one line when it ends.
///
/// A line has the metadata `rpc.method`, `rpc.status_code` and `duration_ms`, and when the call
/// failed the error. Messages never contain values, so they can be counted; request and reply
/// messages and call metadata are not logged. Any thread.
public struct ClientLoggingInterceptor: ClientInterceptor {
    private let logger: Logger?
    private let levels: CallLogLevels
    private let now: @Sendable () -> Deadline

    /// Creates an interceptor.
    ///
    /// - Parameters:
    ///   - logger: Where to log; by default the logger of the caller's task, `Logger.current`.
    ///   - levels: The levels of the lines.
    public init(logger: Logger? = nil, levels: CallLogLevels = CallLogLevels()) {
        self.init(logger: logger, levels: levels, now: { .now() })
    }

    init(logger: Logger?, levels: CallLogLevels, now: @escaping @Sendable () -> Deadline) {
        self.logger = logger
        self.levels = levels
        self.now = now
    }

    /// Makes the call and logs how it ended.
    ///
    /// - Throws: What the call throws.
    public func intercept<Request: Message, Response: Message>(
        _ call: ClientCall<Request>,
        next: (ClientCall<Request>) async throws -> ClientReply<Response>
    ) async throws -> ClientReply<Response> {
        let line = CallLogLine(
            logger: logger ?? .current,
            levels: levels,
            method: call.method.fullName,
            start: now()
        )
        do {
            let reply = try await next(call)
            line.log(.success, nil, at: now())
            return reply
        } catch {
            line.log(.ofClient(error), error, at: now())
            throw error
        }
    }
}
