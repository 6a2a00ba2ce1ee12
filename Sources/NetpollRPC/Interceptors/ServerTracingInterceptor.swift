public import NetpollProtobuf
public import Tracing

/// Makes a span of every call that a server serves, under the span that the caller sent along.
///
/// The span is called `package.Service/Method`, is of kind `server` and has the attributes of
/// OpenTelemetry's conventions. The handler runs with the span's context as
/// `ServiceContext.current`. A business error is an answer and no fault of the span. On the
/// handler's loop.
public struct ServerTracingInterceptor: ServerInterceptor {
    private let tracer: (any Tracer)?

    /// Creates an interceptor.
    ///
    /// - Parameter tracer: Makes the spans; by default `InstrumentationSystem.tracer` at the time
    ///   of a call.
    public init(tracer: (any Tracer)? = nil) { self.tracer = tracer }

    /// Runs the handler inside a span.
    ///
    /// - Throws: What the handler throws.
    public func intercept<Request: Message, Response: Message>(
        _ request: Request,
        _ context: RPCContext,
        next: (Request, RPCContext) async throws -> Response
    ) async throws -> Response {
        let tracer = tracer ?? InstrumentationSystem.tracer
        var parent = ServiceContext.current ?? .topLevel
        tracer.extract(context.metadata, into: &parent, using: MetadataExtractor())
        let span = CallSpan(
            tracer,
            method: context.fullMethodName,
            context: parent,
            kind: .server
        )
        span.setAddress(
            context.peerAddress,
            SemanticConventions.peerAddress,
            SemanticConventions.peerPort
        )
        do {
            let response = try await ServiceContext.$current.withValue(span.span.context) {
                try await next(request, context)
            }
            span.end(.success, nil)
            return response
        } catch {
            span.end(.ofServer(error), error)
            throw error
        }
    }
}
