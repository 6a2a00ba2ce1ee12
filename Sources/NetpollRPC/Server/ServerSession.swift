internal import Logging
internal import NetpollCore
internal import Synchronization

/// What the sessions of a server share.
struct ServerSettings: Sendable {
    let router: Router
    let options: RPCServerOptions
    let decoder: FrameDecoder
    let limits: ServerLimits
    let interceptors: [any ServerInterceptor]
    /// For each loop, by its index.
    let handlerTasks: [HandlerTasks]

    init(
        router: Router,
        options: RPCServerOptions,
        limits: ServerLimits,
        interceptors: [any ServerInterceptor],
        group: EventLoopGroup
    ) {
        handlerTasks = group.loops.map(HandlerTasks.init)
        self.router = router
        self.interceptors = interceptors
        self.options = options
        self.limits = limits
        decoder = FrameDecoder(
            limits: options.limits,
            requiresChecksum: options.checksum == .required
        )
    }
}

/// The calls of one server connection.
///
/// Confined to the inside of the connection's loop. Requests are cut from the stream while the loop
/// dispatches events, and started in its run phase; what they write leaves together at the end of
/// the turn.
final class ServerSession: ConnectionHandler, LoopRunnable, @unchecked Sendable {
    // @unchecked: everything but the constants and the atomic is touched by the connection's loop
    // only.

    let connection: Connection
    let settings: ServerSettings
    /// Whether the server has no room for the connection: its calls are sent elsewhere.
    let isExcess: Bool
    /// What runs its handlers, once there was a call.
    @exclusivity(unchecked) var tasks: HandlerTasks?
    private let onEnd: @Sendable (ServerSession) -> Void

    @exclusivity(unchecked) private var headers = HeaderMemo()
    @exclusivity(unchecked) private var routes: RouteMemo
    /// Admitted in this turn, or lately: they wait for the loop's run phase, or for the peer to read.
    @exclusivity(unchecked) var waiting = WaitingQueue<ServerCall>()
    var isQueued = false
    var isClosed = false
    /// Those whose handlers have not returned, in no order.
    @exclusivity(unchecked) var running: [ServerCall] = []
    /// Answers that wait for their callers' timers.
    var lateAnswerCount = 0
    /// The peer has not read its replies: it is not read from, and no call of it is started.
    var isHeldBack = false
    /// When that last ended.
    var heldBackUntil = Deadline(uptimeNanoseconds: 0)
    /// Ends the first of the calls that wait while the peer is held back.
    var waitTimer: TimerToken?
    /// Calls that have got a worker and wait for the peer.
    var heldWorkers: [Waiter<Void>] = []
    var peerHasEnded = false
    var isDraining = false
    var isBroken = false
    var isEndAnnounced = false
    /// Handlers that start now are cancelled too.
    var isCancelling = false
    var isMultiplexed = false
    /// Whether replies tell the client not to use the connection again; asked by any thread.
    let repliesAreLast = Atomic<Bool>(false)
    /// Ends the moment that a client gets when the server ends.
    var graceTimer: TimerToken?
    var watched = Watched.nothing
    var watchTimer: TimerToken?
    var lastActivity: Deadline

    /// What the session's one timer waits for: the first byte, the rest of a frame, or any call.
    enum Watched {
        case nothing, firstByte, frame, idle
    }

    init(
        _ connection: Connection,
        settings: ServerSettings,
        isExcess: Bool = false,
        onEnd: @escaping @Sendable (ServerSession) -> Void
    ) {
        self.connection = connection
        self.settings = settings
        self.isExcess = isExcess
        self.onEnd = onEnd
        routes = RouteMemo(settings.router)
        lastActivity = connection.loop.now()
    }

    /// Whether the peer is read from.
    var isReading: Bool { !isHeldBack && !isBroken }

    /// The calls that were admitted and whose handlers have not returned, cancelled or not.
    var inFlightCount: Int { waiting.count + running.count }

    /// Whether every call has ended and been answered.
    var isDone: Bool { inFlightCount == 0 && lateAnswerCount == 0 }
}

// MARK: - The connection's events

extension ServerSession {
    func connection(_ connection: Connection, didReceive input: inout LinkBuffer) -> Int {
        guard !isBroken else {
            input.removeAll()
            return 0
        }
        do throws(WireError) {
            var isNewFrame = false
            while true {
                switch try settings.decoder.next(&input, &headers) {
                case .frame(let frame):
                    isNewFrame = true
                    try receive(frame)
                case .incomplete(let wanted):
                    watch(input.isEmpty ? .idle : .frame, isNewFrame: isNewFrame)
                    return wanted
                }
            }
        } catch {
            if let wanted = refuse(error, input) {
                watch(.frame, isNewFrame: false)
                return wanted
            }
            settings.options.logger.debug(
                "closing a connection that broke the protocol",
                metadata: ["peer": "\(connection.peerAddress)", "error": "\(error)"]
            )
            input.removeAll()
            breakOff()
            return 0
        }
    }

    func breakOff() {
        // Requests that came whole before it are still answered; nothing more is read.
        isBroken = true
        connection.pauseReading()
        endFrameWatch()
        closeIfDone()
    }

    private func receive(_ frame: Frame) throws(WireError) {
        if frame.header.flags & WireFormat.outOfOrderFlag != 0, !isMultiplexed {
            isMultiplexed = true
            repliesAreLast.store(false, ordering: .relaxed)
        }
        let message: WireMessage
        do throws(WireError) {
            message = try WireMessage(parsing: frame.payload)
        } catch {
            return try refuse(error, frame)
        }
        switch message.type {
        case .call, .oneway, .stream: break
        case .reply, .exception:
            let error = RPCError(
                .protocolViolation,
                "a request cannot be a reply",
                exceptionID: WireFormat.ExceptionID.invalidMessageType
            )
            return refuse(error, nil, ReplyAddress(frame, message))
        }
        if isExcess { return refuseConnection(ReplyAddress(frame, message)) }
        switch routes.route(service: frame.header.serviceName, message: message) {
        case .failure(let error):
            var address = ReplyAddress(frame, message)
            // Kitex answers on Framed before it has read the sequence id.
            if frame.transport == .framed { address.sequenceID = 0 }
            refuse(error, nil, address)
        case .success(let route):
            admit(frame, message, route)
        }
    }

    private func admit(_ frame: Frame, _ message: WireMessage, _ route: Router.Route) {
        let address = ReplyAddress(
            transport: frame.transport,
            sequenceID: message.sequenceID,
            method: route.wireName
        )
        let limit = settings.options.inFlightLimit
        let refusal =
            inFlightCount < limit
            ? settings.limits.admit(on: connection.loop)
            : .overLimit("\(limit) calls in flight", .elsewhere)
        if let refusal {
            return refuse(refusal, route.fullMethodName, address)
        }
        queue()
        waiting.append(
            ServerCall(
                self,
                context: makeContext(frame, message, route),
                address: address,
                route: route,
                body: message.body,
                receivedAt: settings.limits.measuresDelay ? connection.loop.now() : .distantFuture,
                isDeadlineCallers: settings.options.deadlines.honours(
                    milliseconds: frame.header.timeoutMilliseconds
                )
            )
        )
    }

    private func makeContext(_ frame: Frame, _ message: WireMessage, _ route: Router.Route)
        -> RPCContext
    {
        let (metadata, persistent) = frame.header.requestMetadata
        return RPCContext(
            service: route.service,
            method: route.method,
            deadline: settings.options.deadlines.deadline(
                milliseconds: frame.header.timeoutMilliseconds,
                now: connection.loop.now()
            ),
            metadata: metadata,
            persistentMetadata: persistent,
            transport: frame.transport,
            callerService: frame.header.callerService,
            peer: .connection(connection)
        )
    }

    func connectionDidReachEnd(_ connection: Connection) {
        // The peer may have ended only its own direction and still wait for its replies.
        peerHasEnded = true
        closeIfDone()
    }

    func connection(_ connection: Connection, didCloseWith error: NetpollError?) {
        isClosed = true
        settings.limits.release(waiting.count)
        waiting = WaitingQueue()
        cancelRunning()
        for call in running { call.runningIndex = nil }
        running = []
        for timer in [watchTimer, graceTimer, waitTimer] {
            if let timer { connection.loop.cancel(timer) }
        }
        watchTimer = nil
        graceTimer = nil
        waitTimer = nil
        tasks.take()?.leave()
        onEnd(self)
    }
}
