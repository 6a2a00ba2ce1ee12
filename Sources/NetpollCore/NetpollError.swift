/// What went wrong in the network core: a code to switch on, the operation that failed, and the
/// system's error number where there is one.
///
/// Would-block, need-more-bytes and end of stream are not errors; they are values.
public struct NetpollError: Error, Sendable, Hashable {
    /// The kind of failure.
    ///
    /// New codes may be added; switch with a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String, Sendable {
            case connectionClosed, connectionReset, connectionRefused, endOfStream, timedOut
            case unreachable, addressInUse, invalidAddress, limitExceeded, cancelled, shutdown
            case system
        }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// This side closed the connection, or it was never usable.
        public static let connectionClosed = Code(.connectionClosed)
        /// The peer reset the connection (`ECONNRESET`, `EPIPE`).
        public static let connectionReset = Code(.connectionReset)
        /// Nobody listens at the address (`ECONNREFUSED`, or a missing socket file).
        public static let connectionRefused = Code(.connectionRefused)
        /// The peer sent its last byte and more were asked for.
        public static let endOfStream = Code(.endOfStream)
        /// A deadline passed, ours or the kernel's (`ETIMEDOUT`).
        public static let timedOut = Code(.timedOut)
        /// The network or host cannot be reached.
        public static let unreachable = Code(.unreachable)
        /// The address to listen on is taken (`EADDRINUSE`).
        public static let addressInUse = Code(.addressInUse)
        /// The address cannot be parsed, resolved or used.
        public static let invalidAddress = Code(.invalidAddress)
        /// A bound was reached; the message names it.
        public static let limitExceeded = Code(.limitExceeded)
        /// The calling task was cancelled.
        public static let cancelled = Code(.cancelled)
        /// The loop, pool or listener is shutting down.
        public static let shutdown = Code(.shutdown)
        /// Any other system error; see ``NetpollError/errorNumber``.
        public static let system = Code(.system)

        /// The code's name.
        public var description: String { value.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// The operation and the address it concerned.
    public let message: String
    /// The `errno` of the system call, or `nil` when no call failed.
    public let errorNumber: Int32?

    /// Creates an error.
    public init(_ code: Code, _ message: String, errorNumber: Int32? = nil) {
        self.code = code
        self.message = message
        self.errorNumber = errorNumber
    }
}

extension NetpollError: CustomStringConvertible {
    /// The code, the message and the system's text.
    public var description: String {
        guard let errorNumber else { return "\(code): \(message)" }
        return "\(code): \(message): \(SystemError.text(errorNumber)) (errno \(errorNumber))"
    }
}
