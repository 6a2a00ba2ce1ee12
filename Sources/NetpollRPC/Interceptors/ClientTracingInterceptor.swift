public import NetpollCore
public import NetpollProtobuf
public import Tracing

/// Makes a span of every call of a client and sends its context along.
///
/// The span is called `package.Service/Method`, is of kind `client`, has the attributes of
/// OpenTelemetry's conventions and covers the whole call, retries included. The context travels in
/// the request's metadata, as Kitex's OpenTelemetry extension has it. A business error is an answer
/// and no fault of the span. Any thread.
public struct ClientTracingInterceptor: ClientInterceptor {
    private let tracer: (any Tracer)?
    private let server: SocketAddress?

    /// Creates an interceptor.
    ///
    /// - Parameters:
    ///   - tracer: Makes the spans; by default `InstrumentationSystem.tracer` at the time of a
    ///     call.
    ///   - server: What `server.address` and `server.port` say; by default the server whose answer
    ///     the caller gets, and nothing when none answers.
    public init(tracer: (any Tracer)? = nil, server: SocketAddress? = nil) {
        self.tracer = tracer
        self.server = server
    }

    /// Makes the call inside a span.
    ///
    /// - Throws: What the call throws.
    public func intercept<Request: Message, Response: Message>(
        _ call: ClientCall<Request>,
        next: (ClientCall<Request>) async throws -> ClientReply<Response>
    ) async throws -> ClientReply<Response> {
        let tracer = tracer ?? InstrumentationSystem.tracer
        let span = CallSpan(
            tracer,
            method: call.method.fullName,
            context: .current ?? .topLevel,
            kind: .client
        )
        var traced = call
        var info: ReplyInfo?
        if let server {
            name(server, in: span)
        } else {
            info = call.options.replyInfo ?? ReplyInfo()
            traced.options.replyInfo = info
        }
        tracer.inject(
            span.span.context,
            into: &traced.options.metadata,
            using: MetadataInjector()
        )
        do {
            let reply = try await ServiceContext.$current.withValue(span.span.context) {
                try await next(traced)
            }
            name(info?.address, in: span)
            span.end(.success, nil)
            return reply
        } catch {
            name(info?.address, in: span)
            span.end(.ofClient(error), error)
            throw error
        }
    }

    private func name(_ server: SocketAddress?, in span: CallSpan) {
        span.setAddress(
            server,
            SemanticConventions.serverAddress,
            SemanticConventions.serverPort
        )
    }
}
