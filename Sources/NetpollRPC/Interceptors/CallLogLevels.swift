public import Logging
internal import NetpollCore

/// The levels at which calls are logged.
public struct CallLogLevels: Sendable, Hashable {
    /// For calls that got an answer, business errors among them.
    ///
    /// Default `debug`.
    public var success: Logger.Level
    /// For calls that failed.
    ///
    /// Default `info`: whether a failed call is an error is for the program to say.
    public var failure: Logger.Level
    /// For calls that a server refused before a handler saw them.
    ///
    /// Default `debug`: a peer decides how many there are.
    public var refusal: Logger.Level

    /// Creates levels.
    public init(
        success: Logger.Level = .debug,
        failure: Logger.Level = .info,
        refusal: Logger.Level = .debug
    ) {
        self.success = success
        self.failure = failure
        self.refusal = refusal
    }
}

/// The line that one call will leave in the log.
struct CallLogLine {
    let logger: Logger
    let levels: CallLogLevels
    let method: String
    let start: Deadline

    func log(_ outcome: CallOutcome, _ error: (any Error)?, at end: Deadline) {
        let hasFailed = outcome.errorType != nil
        logger.log(
            level: hasFailed ? levels.failure : levels.success,
            hasFailed ? "call failed" : "call ended",
            metadata: metadata(outcome, error, end)
        )
    }

    private func metadata(_ outcome: CallOutcome, _ error: (any Error)?, _ end: Deadline)
        -> Logger.Metadata
    {
        let duration = end.timeRemaining(from: start) / .milliseconds(1)
        var metadata: Logger.Metadata = [
            SemanticConventions.method: "\(method)",
            SemanticConventions.statusCode: "\(outcome.statusCode)",
            "duration_ms": "\(duration)",
        ]
        if let error { metadata["error"] = "\(error)" }
        return metadata
    }
}
