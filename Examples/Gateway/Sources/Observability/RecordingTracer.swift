import NetpollProtobuf
import Synchronization
import Tracing

/// Hands each span that ends to a function, as a line of JSON: a tracer in a hundred lines.
///
/// A service in production uses one that sends to a collector; nothing else would change.
package struct RecordingTracer: Tracer {
    private let process: String
    private let write: @Sendable (String) -> Void

    /// Creates a tracer.
    ///
    /// - Parameters:
    ///   - process: What spans say where they were.
    ///   - write: Gets each span that has ended, a `film.SpanRecord`. Any thread.
    package init(process: String, write: @escaping @Sendable (String) -> Void) {
        self.process = process
        self.write = write
    }

    package func startSpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> ServiceContext,
        ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String,
        file fileID: String,
        line: UInt
    ) -> RecordedSpan {
        let parent = context()
        let trace = parent.trace?.child() ?? .root()
        var context = parent
        context.trace = trace
        let start = instant().nanosecondsSinceEpoch
        let draft = Film_SpanRecord.with {
            $0.traceID = trace.traceID
            $0.spanID = trace.spanID
            $0.parentSpanID = parent.trace?.spanID ?? ""
            $0.process = process
            $0.name = operationName
            $0.kind = "\(kind)"
            $0.start = Google_Protobuf_Timestamp(durationSince1970: .nanoseconds(start))
        }
        return RecordedSpan(draft, start: start, context: context, write: write)
    }

    package func forceFlush() {}

    package func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext,
        into carrier: inout Carrier,
        using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let trace = context.trace else { return }
        injector.inject(trace.header, forKey: TraceContext.headerName, into: &carrier)
    }

    package func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier,
        into context: inout ServiceContext,
        using extractor: Extract
    ) where Extract.Carrier == Carrier {
        guard let header = extractor.extract(key: TraceContext.headerName, from: carrier) else {
            return
        }
        context.trace = TraceContext(header: header)
    }
}

/// A span of a ``RecordingTracer``.
package final class RecordedSpan: Span {
    private struct State {
        var record: Film_SpanRecord
        var attributes = SpanAttributes()
        var hasEnded = false
    }

    package let context: ServiceContext
    private let start: UInt64
    private let state: Mutex<State>
    private let write: @Sendable (String) -> Void

    init(
        _ draft: Film_SpanRecord,
        start: UInt64,
        context: ServiceContext,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.context = context
        self.start = start
        self.write = write
        state = Mutex(State(record: draft))
    }

    package var operationName: String {
        get { state.withLock { $0.record.name } }
        set { state.withLock { $0.record.name = newValue } }
    }

    package var attributes: SpanAttributes {
        get { state.withLock { $0.attributes } }
        set { state.withLock { $0.attributes = newValue } }
    }

    package var isRecording: Bool { state.withLock { !$0.hasEnded } }

    package func setStatus(_ status: SpanStatus) {
        state.withLock { $0.record.isError = status.code == .error }
    }

    package func recordError<Instant: TracerInstant>(
        _ error: any Error,
        attributes: SpanAttributes,
        at instant: @autoclosure () -> Instant
    ) {
        state.withLock { $0.record.attributes["error"] = "\(error)" }
    }

    // The example has neither.
    package func addEvent(_ event: SpanEvent) {}
    package func addLink(_ link: SpanLink) {}

    package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let end = instant().nanosecondsSinceEpoch
        let ended = state.withLock { state -> Film_SpanRecord? in
            guard !state.hasEnded else { return nil }
            state.hasEnded = true
            let length = Duration.nanoseconds(end >= start ? end - start : 0)
            state.record.duration = Google_Protobuf_Duration(length)
            let attributes = state.attributes
            attributes.forEach({ state.record.attributes[$0] = $1.text })
            return state.record
        }
        // Fails for times that no clock shows.
        if let line = try? ended?.jsonString() { write(line) }
    }
}

extension SpanAttribute {
    /// The toolkit's interceptors set texts and whole numbers.
    fileprivate var text: String {
        switch self {
        case .string(let text): text
        case .int64(let number): "\(number)"
        default: "\(self)"
        }
    }
}
