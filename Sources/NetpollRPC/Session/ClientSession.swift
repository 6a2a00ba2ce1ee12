internal import NetpollCore
internal import Synchronization

/// What came back for a call.
struct Reply: Sendable {
    let header: HeaderInfo
    let message: WireMessage
}

/// The calls of one client connection.
///
/// Any thread may begin and cancel calls; replies, deadlines and the end of the connection come on
/// the connection's loop. The decisions are ``ClientSessionState``'s; this class carries them out.
final class ClientSession: ConnectionHandler, Poolable, @unchecked Sendable {
    // @unchecked: what is confined to the connection's loop is touched there only; the rest is constant
    // or locked.

    typealias Outcome = Result<Reply, CallFailure>

    /// Who waits for the outcome of a call.
    struct Call: Sendable {
        fileprivate let continuation: UnsafeContinuation<Outcome, Never>
    }

    /// How a call ended without a reply.
    enum CallFailure: Error {
        /// Nothing of it was sent, so it can be sent elsewhere.
        case notSent
        case failed(RPCError)
    }

    let connection: Connection
    /// One call at a time: a call that ends without its reply ends the connection too, because a
    /// peer that does not multiplex still works on it.
    let isExclusive: Bool
    let state: Locked<ClientSessionState<Call>>
    /// Confined to the connection's loop.
    @exclusivity(unchecked) var replies: ReplyDecoder
    /// When ``expire()`` is called next; confined to the connection's loop, as `hasClosed` is.
    private var expiry: (deadline: Deadline, timer: TimerToken)?
    private var hasClosed = false
    /// Confined to the connection's loop, too.
    private var idleTimer: TimerToken?
    /// Why this side breaks the connection off, if it does.
    let breakReason = Locked<RPCError?>(nil)
    /// Calls that wait until the server takes bytes again.
    private let roomWaiterCount = Atomic(0)
    private let roomWaiterLimit: Int
    /// What the peer has done with the connection so far; changed on the connection's loop only.
    private let use = Atomic<Use>(.unknown)

    enum Use: UInt8, AtomicRepresentable {
        case unknown
        /// It has answered a call.
        case useful
        /// It ended the connection, or wants it ended, without an answer.
        case refused
    }

    init(_ connection: Connection, options: RPCClientOptions) {
        self.connection = connection
        replies = ReplyDecoder(
            FrameDecoder(
                limits: options.limits,
                requiresChecksum: options.checksum == .required
            )
        )
        isExclusive = options.connections.isPooled
        roomWaiterLimit = options.connectionWaiterLimit
        state = Locked(ClientSessionState(limit: options.inFlightLimit))
    }

    var isActive: Bool { connection.isActive && state.withLock { $0.acceptsCalls } }

    var endedWithoutUse: Bool { use.load(ordering: .relaxed) == .refused }

    /// Notes what the peer does; only the first counts.
    func note(_ use: Use) {
        guard self.use.load(ordering: .relaxed) == .unknown else { return }
        self.use.store(use, ordering: .relaxed)
    }

    /// Whether the caller runs on the loop of this session's connection.
    var isOnCurrentLoop: Bool { connection.loop.isCurrent }

    func onInactive(_ body: @escaping @Sendable () -> Void) { connection.onInactive(body) }

    func onClose(_ body: @escaping @Sendable () -> Void) { connection.onClose(body) }

    /// Closes the connection of a session without calls; a server that may work on one that was given
    /// up gets to know that nobody waits for it, there being no message that says so.
    func endConnection() {
        if state.withLock({ $0.hasUnanswered }) { connection.reset() } else { connection.close() }
    }

    /// Takes no more calls and closes once those in flight have ended.
    func close() {
        if state.withLock({ $0.drain() }) { endConnection() }
    }
}

// MARK: - Calls

extension ClientSession {
    /// Sends one request and waits for what becomes of it.
    ///
    /// - Parameters:
    ///   - head: The frame's head, with a sequence id that no call of this session has.
    ///   - request: The request message.
    ///   - deadline: When to give up.
    ///   - limits: The bounds of the frame.
    /// - Returns: The reply, or why there is none.
    func call(
        _ head: FrameHead,
        _ request: BufferSlice,
        deadline: Deadline,
        limits: WireLimits
    ) async -> Outcome {
        let sequenceID = head.sequenceID
        var hasWaited = false
        // Requests must not pile up here for a server that takes no more bytes.
        if connection.outputByteCount >= connection.options.writeHighWaterMark {
            if let refusal = await waitForRoom(deadline) { return refusal }
            hasWaited = true
        }
        // Carried out of the handler by hand: to return it would look its type up at run time.
        var outcome = Outcome.failure(.notSent)
        await withTaskCancellationHandler {
            outcome = await withUnsafeContinuation { continuation in
                let call = Call(continuation: continuation)
                send(head, request, deadline, limits, call)
                if hasWaited { connection.endAdmission(Self.assumedRequestByteCount) }
                // A cancellation that came before the call was begun has found nobody.
                if Task.isCancelled { cancel(sequenceID) }
            }
        } onCancel: {
            self.cancel(sequenceID)
        }
        Handover.didResume(self)
        return outcome
    }

    /// What a request counts for among those that wait for room, whose sizes nobody knows yet.
    private static let assumedRequestByteCount = 16 << 10

    /// Waits until the server has taken bytes; then this request has a place.
    ///
    /// - Returns: How the call ends if it cannot be sent.
    private func waitForRoom(_ deadline: Deadline) async -> Outcome? {
        let count = roomWaiterCount.wrappingAdd(1, ordering: .relaxed).newValue
        defer { roomWaiterCount.wrappingSubtract(1, ordering: .relaxed) }
        guard count <= roomWaiterLimit else {
            let peer = connection.peerAddress
            let message = "\(roomWaiterLimit) calls wait until \(peer) takes bytes"
            return .failure(.failed(RPCError(.resourceExhausted, message)))
        }
        do throws(NetpollError) {
            try await connection.waitForRoom(Self.assumedRequestByteCount, deadline: deadline)
            return nil
        } catch {
            switch error.code {
            case .timedOut:
                let message = "\(connection.peerAddress) took no request in time"
                return .failure(.failed(RPCError(.deadlineExceeded, message, cause: error)))
            case .cancelled:
                let message = "the calling task was cancelled"
                return .failure(.failed(RPCError(.cancelled, message, cause: error)))
            default: return .failure(.notSent)
            }
        }
    }

    private func send(
        _ head: FrameHead,
        _ request: BufferSlice,
        _ deadline: Deadline,
        _ limits: WireLimits,
        _ call: Call
    ) {
        let byteCount: Int
        do throws(WireError) {
            byteCount = try FrameEncoder.byteCount(
                of: head,
                bodyByteCount: request.count,
                limits: limits
            )
        } catch {
            let failure = RPCError(.resourceExhausted, "the request: \(error)")
            return resume(call, .failure(.failed(failure)))
        }
        guard begin(head.sequenceID, deadline, call) else { return }
        let (isQueued, position) = connection.queueOutput { output in
            FrameEncoder.write(head, byteCount: byteCount, body: request, to: &output)
        }
        if !isQueued { return end(head.sequenceID, .failure(.notSent)) }
        if let position { state.withLock { $0.wait(head.sequenceID, at: position) } }
    }

    /// Enters a call in the table; when that is refused the call has ended and this returns false.
    private func begin(_ sequenceID: Int32, _ deadline: Deadline, _ call: Call) -> Bool {
        let admission = state.withLock {
            $0.begin(sequenceID, deadline: deadline.uptimeNanoseconds, call)
        }
        switch admission {
        case .send(let timer):
            if let timer { scheduleExpiry(Deadline(uptimeNanoseconds: timer)) }
            return true
        case .refused:
            resume(call, .failure(.notSent))
        case .full:
            let error = RPCError(
                .resourceExhausted,
                "too many calls are in flight on \(connection.peerAddress)"
            )
            resume(call, .failure(.failed(error)))
        }
        return false
    }

    func resume(_ call: Call, _ outcome: Outcome) {
        Handover.willResume(self)
        call.continuation.resume(returning: outcome)
    }

    private func cancel(_ sequenceID: Int32) {
        end(sequenceID, .failure(.failed(RPCError(.cancelled, "the calling task was cancelled"))))
    }

    private func end(_ sequenceID: Int32, _ outcome: Outcome) {
        let (call, isDrained) = state.withLock { ($0.cancel(sequenceID), $0.isDrained) }
        guard let call else { return }
        // First: the caller gives the session back, and it must not be lent again.
        if isExclusive || isDrained { endConnection() }
        resume(call, outcome)
    }

    private func scheduleExpiry(_ deadline: Deadline) {
        connection.loop.perform { self.setExpiry(deadline) }
    }

    /// Has the timer fire at a deadline, or earlier if it would.
    private func setExpiry(_ deadline: Deadline) {
        guard !hasClosed else { return }
        if let expiry {
            guard deadline < expiry.deadline else { return }
            connection.loop.cancel(expiry.timer)
        }
        // Holds the session until the connection closes: weak references would make counting slow.
        expiry = (deadline, connection.loop.schedule(at: deadline) { self.expire() })
    }

    /// The connection has closed.
    func endTimers() {
        hasClosed = true
        if let expiry { connection.loop.cancel(expiry.timer) }
        expiry = nil
        if let idleTimer { connection.loop.cancel(idleTimer) }
        idleTimer = nil
    }

    private func expire() {
        expiry = nil
        let now = connection.loop.now().uptimeNanoseconds
        let (expired, next, isDrained) = state.withLock { state in
            let result = state.expire(now: now)
            return (result.expired, result.next, state.isDrained)
        }
        if let next { setExpiry(Deadline(uptimeNanoseconds: next)) }
        guard !expired.isEmpty else { return }
        // First, as in `end(_:_:)`.
        if isExclusive || isDrained { endConnection() }
        let error = RPCError(.deadlineExceeded, "no reply from \(connection.peerAddress) in time")
        for call in expired { resume(call, .failure(.failed(error))) }
    }
}

// MARK: - Idleness

extension ClientSession {
    /// Looked at so often in the time that a connection may be idle: a call then costs no look at the
    /// clock, and the connection closes at most so much later.
    private static let idleSpanCount = 4

    /// Closes the connection once it has had no call for so long, or up to a quarter longer.
    ///
    /// Any thread; once.
    func closeWhenIdle(for timeout: Duration) {
        let span = max(timeout / Self.idleSpanCount, .milliseconds(1))
        connection.loop.perform { self.scheduleIdleSpan(span) }
    }

    private func scheduleIdleSpan(_ span: Duration) {
        guard !hasClosed else { return }
        let end = connection.loop.deadline(after: span)
        idleTimer = connection.loop.schedule(at: end) {
            if self.state.withLock({ $0.spanPassed(Self.idleSpanCount) }) { self.endConnection() }
            self.scheduleIdleSpan(span)
        }
    }
}
