internal import NetpollCore

/// How long a server's handlers may take, beside what their callers ask for.
///
/// The handler's task is cancelled at the deadline that results, and ``RPCContext/deadline`` is
/// that deadline, so what the handler calls in turn gets no more time than it has itself.
public struct DeadlinePolicy: Sendable, Hashable {
    /// For callers that name no timeout: those on Framed, and Kitex's without its handlers.
    ///
    /// Default `nil`: no deadline.
    public var unspecified: Duration?
    /// The longest that any caller gets, whatever it asks for.
    ///
    /// Default `nil`: what it asks for.
    public var limit: Duration?

    /// Creates a policy.
    public init(unspecified: Duration? = nil, limit: Duration? = nil) {
        self.unspecified = unspecified
        self.limit = limit
    }

    /// The deadline of a call that is received now.
    ///
    /// - Parameters:
    ///   - milliseconds: What the caller asks for; `nil` if nothing.
    ///   - now: The time, asked only if there is a deadline.
    /// - Returns: The earlier of what is asked for and the limit; `.distantFuture` if neither is.
    func deadline(milliseconds: Int?, now: @autoclosure () -> Deadline) -> Deadline {
        let asked = milliseconds.map { Duration.milliseconds($0) } ?? unspecified
        guard let allowed = asked ?? limit else { return .distantFuture }
        return now().advanced(by: min(allowed, limit ?? allowed))
    }

    /// Whether a caller that asks for so much gets it all.
    func honours(milliseconds: Int?) -> Bool {
        guard let milliseconds else { return false }
        return limit.map { .milliseconds(milliseconds) <= $0 } ?? true
    }
}
