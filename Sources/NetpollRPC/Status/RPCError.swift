/// Why a call failed: a code to switch on, words for people, and the cause where there is one.
///
/// A handler that throws an `RPCError` sends its message to the caller; the cause never leaves the
/// process. Of an error that a call of the handler ended with, code and message are sent on: what the
/// other server advised about its own call says nothing about this one, which did run.
public struct RPCError: Error, Sendable {
    /// What kind of failure it was.
    public let code: Code
    /// What happened, in words: those of the peer, and no others, when the error came from there.
    public let message: String
    /// The exception id on the wire, when the error came from the peer or is meant to be sent with
    /// a particular id (0...10 and 20, 21 are Kitex's; others are the application's).
    public let exceptionID: Int32?
    /// Whether the call may be made again, as far as whoever made the error knows.
    ///
    /// Travels with an error that a server sends, in a header pair that other peers ignore.
    public let retry: RetryAdvice?
    /// What led to it on this side.
    public let cause: (any Error)?
    /// Whether a peer sent it.
    private(set) var isReceived = false

    /// Creates an error.
    public init(
        _ code: Code,
        _ message: String,
        exceptionID: Int32? = nil,
        retry: RetryAdvice? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.exceptionID = exceptionID
        self.retry = retry
        self.cause = cause
    }

    /// The error of a handler that this error ended: that of the handler's own call, or its own.
    var asHandlers: RPCError { isReceived ? RPCError(code, message) : self }

    /// An error that a peer sent.
    init(
        received code: Code,
        _ message: String,
        exceptionID: Int32,
        retry: RetryAdvice?
    ) {
        self.init(code, message, exceptionID: exceptionID, retry: retry)
        isReceived = true
    }

    /// Whether and where a call that failed may be made again.
    public enum RetryAdvice: String, Sendable, Hashable {
        /// The call did not run, and another server may take it: this one has too much to do or goes
        /// away.
        case elsewhere
        /// The call did not run, and no server will take it now: the caller has reached a limit of
        /// its own, for instance a rate.
        case later
        /// To make the call again would not help, or do harm.
        case never
    }
}

extension RPCError {
    /// The kind of failure.
    ///
    /// New codes may be added; switch with a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String, Sendable {
            case cancelled, unknown, invalidArgument, deadlineExceeded, resourceExhausted
            case unimplemented, internalError, unavailable, protocolViolation, unauthenticated
        }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        init?(name: String) {
            guard let value = Value(rawValue: name) else { return nil }
            self.value = value
        }

        /// The caller's task was cancelled.
        ///
        /// The server may have run the call.
        public static let cancelled = Code(.cancelled)
        /// The peer sent an exception of a kind that has no code here; see
        /// ``RPCError/exceptionID``.
        public static let unknown = Code(.unknown)
        /// The request could not be decoded, or a value in it is wrong whatever the server's state.
        public static let invalidArgument = Code(.invalidArgument)
        /// No reply came in time.
        ///
        /// The server may have run the call.
        public static let deadlineExceeded = Code(.deadlineExceeded)
        /// A limit was reached, here or at the peer; the message names it.
        public static let resourceExhausted = Code(.resourceExhausted)
        /// The server has no such service or method.
        public static let unimplemented = Code(.unimplemented)
        /// The handler failed.
        public static let internalError = Code(.internalError)
        /// No connection could be made, it broke before the reply came, or the server's shutdown
        /// ended the call.
        ///
        /// In the first case the call did not run; in the others it may have.
        public static let unavailable = Code(.unavailable)
        /// The peer sent bytes that are not the protocol.
        public static let protocolViolation = Code(.protocolViolation)
        /// The server wants to know who calls, and the call does not prove it.
        public static let unauthenticated = Code(.unauthenticated)

        /// The code's name.
        public var description: String { value.rawValue }
    }
}

extension RPCError: CustomStringConvertible {
    /// The code, the message and the cause.
    public var description: String {
        guard let cause else { return "\(code): \(message)" }
        return "\(code): \(message) (\(cause))"
    }
}
