import Logging
import Tracing

extension Logger.MetadataProvider {
    /// The trace that a line belongs to.
    package static let trace = Logger.MetadataProvider {
        guard let trace = ServiceContext.current?.trace else { return [:] }
        return ["trace_id": "\(trace.traceID)"]
    }
}
