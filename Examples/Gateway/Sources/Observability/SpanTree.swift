import NetpollProtobuf

/// The spans of one trace, as a tree.
package struct SpanTree {
    package let id: String
    /// A line for each span, each below the one that caused it.
    package private(set) var lines: [String] = []

    private let spans: [Film_SpanRecord]
    private let children: [String: [Film_SpanRecord]]

    /// The traces that spans belong to, in the order in which they began.
    ///
    /// - Parameter lines: The spans, as ``RecordingTracer`` writes them.
    /// - Returns: The traces.
    /// - Throws: When a line is no span.
    package static func traces(of lines: some Sequence<String>) throws -> [SpanTree] {
        let spans = try lines.map { try Film_SpanRecord(jsonString: $0) }.sorted {
            $0.start.durationSince1970 < $1.start.durationSince1970
        }
        var order: [String] = []
        let traces = spans.reduce(into: [String: [Film_SpanRecord]]()) { traces, span in
            if traces[span.traceID] == nil { order.append(span.traceID) }
            traces[span.traceID, default: []].append(span)
        }
        return order.map { SpanTree(id: $0, spans: traces[$0] ?? []) }
    }

    private init(id: String, spans: [Film_SpanRecord]) {
        self.id = id
        self.spans = spans
        children = Dictionary(grouping: spans, by: \.parentSpanID)
        let known = Set(spans.map(\.spanID))
        // What is below a span that was never written down begins a tree too.
        for span in spans where !known.contains(span.parentSpanID) { add(span, "", "") }
    }

    private mutating func add(_ span: Film_SpanRecord, _ indent: String, _ branch: String) {
        lines.append(indent + branch + Self.text(span))
        let below = indent + (branch.isEmpty ? "" : branch == "├─ " ? "│  " : "   ")
        let children = children[span.spanID] ?? []
        for (index, child) in children.enumerated() {
            add(child, below, index == children.count - 1 ? "└─ " : "├─ ")
        }
    }

    private static func text(_ span: Film_SpanRecord) -> String {
        let milliseconds = Int(span.duration.duration / .milliseconds(1))
        let status = span.attributes["rpc.status_code"] ?? "?"
        return "\(span.process): \(span.kind) \(span.name), \(milliseconds) ms, \(status)"
    }
}
