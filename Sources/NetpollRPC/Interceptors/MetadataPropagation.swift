internal import Tracing

/// Puts trace context into the metadata of a request, under the names the tracer gives.
///
/// Kitex's OpenTelemetry extension does the same with `traceparent`, `tracestate` and `baggage`, as
/// metadata for one hop.
struct MetadataInjector: Injector {
    func inject(_ value: String, forKey key: String, into carrier: inout Metadata) {
        carrier[key] = value
    }
}

/// Finds trace context in the metadata of a request.
///
/// A gateway may have written the names as CGI variables, `TRACEPARENT` for `traceparent`: Kitex's
/// extension reads both, and so does this.
struct MetadataExtractor: Extractor {
    func extract(key: String, from carrier: Metadata) -> String? {
        carrier[key] ?? carrier[Self.variableName(key)]
    }

    private static func variableName(_ key: String) -> String {
        String(key.uppercased().map { $0 == "-" ? "_" : $0 })
    }
}
