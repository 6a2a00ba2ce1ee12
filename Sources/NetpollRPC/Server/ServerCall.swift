internal import Logging
public import NetpollCore
public import NetpollProtobuf

/// One call that a session has admitted, until its handler has returned.
///
/// The handler's side answers it: exactly one of ``reply(bodyByteCount:writeBody:)`` and
/// ``fail(_:)-(any_Error)`` is called, once, on any thread.
@usableFromInline
final class ServerCall: @unchecked Sendable {
    // @unchecked: what stands below `Confined to the loop` is touched by the session's loop only; the
    // rest is constant.

    @usableFromInline let context: RPCContext
    let session: ServerSession
    let address: ReplyAddress
    let route: Router.Route
    @usableFromInline let body: BufferSlice
    /// Meaningful only when the server measures how long calls wait.
    let receivedAt: Deadline
    /// Whether the deadline is the one at which the caller gives up by itself.
    private let isDeadlineCallers: Bool

    // Confined to the loop.
    /// The place among the session's running calls, while it is one of them.
    var runningIndex: Int?
    /// Whether the task that ran the handler may serve another call by now.
    var hasReturned = false
    /// Cancels the task that runs the handler.
    private var cancelTask: (@Sendable () -> Void)?
    private var timer: TimerToken?

    init(
        _ session: ServerSession,
        context: RPCContext,
        address: ReplyAddress,
        route: Router.Route,
        body: BufferSlice,
        receivedAt: Deadline,
        isDeadlineCallers: Bool
    ) {
        self.session = session
        self.context = context
        self.address = address
        self.route = route
        self.body = body
        self.receivedAt = receivedAt
        self.isDeadlineCallers = isDeadlineCallers
    }

    /// Has the task that runs the handler cancelled at the call's deadline, or when its caller goes.
    func follow(cancelTask: @escaping @Sendable () -> Void) {
        guard runningIndex != nil else {
            if session.isClosed, !hasReturned { cancelTask() }
            return
        }
        // A thread that lost the loop may ask again for a call that its new owner has started.
        guard self.cancelTask == nil else { return }
        self.cancelTask = cancelTask
        if context.deadline != .distantFuture {
            timer = session.connection.loop.schedule(at: context.deadline, cancelTask)
        }
        if session.isCancelling { cancelTask() }
    }

    /// The handler need not be followed any more.
    func endFollowing(cancel: Bool) {
        if let timer { session.connection.loop.cancel(timer) }
        timer = nil
        if cancel { cancelTask?() }
        cancelTask = nil
    }
}

// MARK: - The outcome

extension ServerCall {
    /// Answers with a message of a known size.
    ///
    /// - Parameters:
    ///   - bodyByteCount: How many bytes it has.
    ///   - writeBody: Writes exactly as many to where it is told.
    @usableFromInline
    func reply(bodyByteCount: Int, writeBody: (UnsafeMutableRawPointer) -> Void) {
        session.send(
            to: address,
            strings: context.responseMetadata.backwardPairs,
            bodyByteCount: bodyByteCount,
            writeBody
        )
    }

    /// Answers a request that is no message of its type.
    @usableFromInline
    func fail(undecodable error: ProtobufError) {
        session.refuse(
            RPCError(.invalidArgument, "the request cannot be decoded: \(error)"),
            context.fullMethodName,
            address
        )
    }

    /// Answers with what the handler threw.
    @usableFromInline
    func fail(_ error: any Error) {
        if isLate || Task.isCancelled, Self.isCancellation(error) { return failCancelled() }
        switch error {
        case let error as BusinessError: fail(error)
        case let error as RPCError: answer(error.asHandlers)
        default:
            // Nobody else hears of it; whether it is an error is for the program to say.
            session.settings.options.logger.info(
                "a handler failed",
                metadata: ["method": "\(context.fullMethodName)", "error": "\(error)"]
            )
            // What failed inside is nobody's business outside.
            answer(RPCError(.internalError, "the handler failed"))
        }
    }

    /// Whether a handler throws so when its task is cancelled: by itself, or because a call that it
    /// made ended with it.
    private static func isCancellation(_ error: any Error) -> Bool {
        error is CancellationError || (error as? RPCError)?.code == .cancelled
    }

    /// Answers a call whose task was cancelled; when its caller has gone, nobody hears it.
    private func failCancelled() {
        answer(
            isLate
                ? ServerSession.lateError : RPCError(.unavailable, "the server is shutting down")
        )
    }

    private var isLate: Bool { context.deadline <= session.connection.loop.now() }

    /// Answers with an error; that its own timeout has passed, the caller is to notice by itself.
    func answer(_ error: RPCError) {
        let metadata = context.responseMetadata.backwardPairs
        if isDeadlineCallers, error.code == .deadlineExceeded, isLate {
            session.sendLate(error, to: address, metadata: metadata)
        } else {
            session.send(error, to: address, metadata: metadata)
        }
    }

    /// Framed has no header for a business error: as from Kitex, an empty reply is all that arrives.
    private func fail(_ error: BusinessError) {
        if address.transport == .framed {
            session.settings.options.logger.debug(
                "a business error was lost: Framed cannot carry it",
                metadata: ["method": "\(context.fullMethodName)", "status": "\(error.status)"]
            )
        }
        let pairs = error.headerPairs + context.responseMetadata.backwardPairs
        session.send(to: address, strings: pairs, bodyByteCount: 0) { _ in }
    }
}

extension Metadata {
    /// The pairs of a reply: without a prefix, and without names that the protocol uses.
    fileprivate var backwardPairs: [(key: String, value: String)] {
        guard !isEmpty else { return [] }
        return headerPairs(prefix: "").filter {
            !WireFormat.StringKey.isReserved($0.key)
        }
    }
}
