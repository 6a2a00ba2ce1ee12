internal import NetpollCore
internal import Tracing

/// The span of one call.
struct CallSpan {
    let span: any Span

    /// Starts a span that is named after the method.
    init(_ tracer: any Tracer, method: String, context: ServiceContext, kind: SpanKind) {
        span = tracer.startAnySpan(method, context: context, ofKind: kind)
        span.attributes[SemanticConventions.system] = SemanticConventions.systemName
        span.attributes[SemanticConventions.method] = method
    }

    /// Says where the other side is.
    func setAddress(_ peer: SocketAddress?, _ addressKey: String, _ portKey: String) {
        guard let (address, port) = peer?.attributes else { return }
        span.attributes[addressKey] = address
        if let port { span.attributes[portKey] = port }
    }

    func end(_ outcome: CallOutcome, _ error: (any Error)?) {
        span.attributes[SemanticConventions.statusCode] = outcome.statusCode
        if let type = outcome.errorType {
            span.attributes[SemanticConventions.errorType] = type
            if let error { span.recordError(error) }
            span.setStatus(SpanStatus(code: .error))
        }
        span.end()
    }
}
