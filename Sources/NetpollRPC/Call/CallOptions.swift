public import NetpollCore

/// What a caller may say about one call.
public struct CallOptions: Sendable {
    /// How long to wait for the reply; `nil` means the client's default, or ``deadline`` if that is
    /// set.
    public var timeout: Duration?
    /// When to give up, if that is before the timeout ends.
    public var deadline: Deadline?
    /// Metadata for the server that is called.
    public var metadata = Metadata()
    /// Metadata for that server and all that it calls in turn.
    ///
    /// What the task's own caller sent of this kind goes along by itself; values here win.
    public var persistentMetadata = Metadata()
    /// When to make the call again; `nil` means the client's policy.
    public var retryPolicy: RetryPolicy?
    /// What ``LoadBalancer/consistentHash(virtualNodes:)`` chooses the endpoint by.
    public var loadBalancingKey: String?
    /// Whether to wait until the deadline for a server that can be reached, instead of failing when
    /// none can.
    ///
    /// Default false.
    public var waitsForReady = false
    /// Filled in when the call ends.
    public var replyInfo: ReplyInfo?

    /// Creates the defaults.
    public init() {}
}

/// What is known about a call beside its reply.
///
/// Hand one to one call through ``CallOptions/replyInfo`` and read it when the call has ended. Any
/// thread.
public final class ReplyInfo: Sendable {
    private struct State {
        var metadata = Metadata()
        var address: SocketAddress?
        var attempts = 0
    }
    private let state = Locked(State())
    /// That of the whole call, if this is of one attempt.
    private let whole: ReplyInfo?

    /// Creates an empty one.
    public init() { whole = nil }

    /// Creates one of an attempt that others are made beside: what comes back is kept apart until
    /// ``take(_:)``.
    init(attemptOf whole: ReplyInfo) { self.whole = whole }

    /// Metadata that the server sent with its reply or error.
    public var metadata: Metadata { state.withLock { $0.metadata } }
    /// The server whose reply or error the caller got; `nil` when none answered.
    public var address: SocketAddress? { state.withLock { $0.address } }
    /// How many times the call was sent.
    public var attempts: Int { state.withLock { $0.attempts } }

    func noteAttempt() {
        if let whole { whole.noteAttempt() } else { state.withLock { $0.attempts += 1 } }
    }

    /// Another attempt begins, and its reply or error is the one that may count.
    func forgetReply() {
        state.withLock { state in
            state.metadata = Metadata()
            state.address = nil
        }
    }

    /// The outcome of an attempt is that of the call.
    func take(_ attempt: ReplyInfo) {
        let (metadata, address) = attempt.state.withLock { ($0.metadata, $0.address) }
        state.withLock { state in
            state.metadata = metadata
            state.address = address
        }
    }

    func note(_ metadata: Metadata, from address: SocketAddress) {
        state.withLock { state in
            state.metadata = metadata
            state.address = address
        }
    }
}
