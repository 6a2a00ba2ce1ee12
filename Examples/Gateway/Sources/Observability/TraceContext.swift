import Tracing

/// Which span of which trace: what travels between processes, as W3C's `traceparent`.
package struct TraceContext: Sendable, Hashable {
    /// 32 hexadecimal digits.
    package let traceID: String
    /// 16 hexadecimal digits.
    package let spanID: String

    static let headerName = "traceparent"

    /// The first span of a new trace.
    static func root() -> TraceContext {
        TraceContext(traceID: newID() + newID(), spanID: newID())
    }

    /// A new span below this one.
    func child() -> TraceContext { TraceContext(traceID: traceID, spanID: Self.newID()) }

    private init(traceID: String, spanID: String) {
        self.traceID = traceID
        self.spanID = spanID
    }

    /// Reads a header; `nil` if it is none.
    init?(header: String) {
        let parts = header.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0].count == 2, parts[1].count == 32, parts[2].count == 16,
            parts[1...2].allSatisfy({ $0.allSatisfy(\.isHexDigit) })
        else { return nil }
        self.init(traceID: String(parts[1]), spanID: String(parts[2]))
    }

    var header: String { "00-\(traceID)-\(spanID)-01" }

    private static func newID() -> String {
        let digits = String(UInt64.random(in: 1 ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension ServiceContext {
    private enum Key: ServiceContextKey {
        typealias Value = TraceContext
    }

    /// The span that the present task works for.
    package internal(set) var trace: TraceContext? {
        get { self[Key.self] }
        set { self[Key.self] = newValue }
    }
}
