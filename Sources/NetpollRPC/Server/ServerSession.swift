internal import Logging
internal import NetpollCore
internal import Synchronization

/// What the sessions of a server share.
struct ServerSettings: Sendable {
    let router: Router
    let options: RPCServerOptions
    let decoder: FrameDecoder
    let callCounter: CallCounter

    init(router: Router, options: RPCServerOptions, callCounter: CallCounter) {
        self.router = router
        self.options = options
        self.callCounter = callCounter
        decoder = FrameDecoder(
            limits: options.limits,
            requiresChecksum: options.checksum == .required
        )
    }
}

/// How many handlers of a server have not returned.
final class CallCounter: Sendable {
    let value = Atomic<Int>(0)
}

/// The calls of one server connection.
///
/// Confined to the inside of the connection's loop. Requests are cut from the stream while the loop dispatches
/// events, and started in its run phase; what they write leaves together at the end of the turn.
final class ServerSession: ConnectionHandler, LoopRunnable, @unchecked Sendable {
    // @unchecked: everything but the constants is touched by the connection's loop only.

    let connection: Connection
    let settings: ServerSettings
    private let onEnd: @Sendable (ServerSession) -> Void

    private var ready: [PendingCall] = []
    /// How many of `ready` have been started.
    private var startedCount = 0
    private var isQueued = false
    private var isClosed = false
    private var running: [ObjectIdentifier: RunningCall] = [:]
    private var peerHasEnded = false
    private var isDraining = false
    private var isBroken = false
    private var isEndAnnounced = false
    private var isMultiplexed = false
    private var watched = Watched.nothing
    private var watchTimer: TimerToken?
    private var lastActivity: Deadline

    /// What the session's one timer waits for: the first byte, the rest of a frame, or any call.
    private enum Watched {
        case nothing, firstByte, frame, idle
    }

    init(
        _ connection: Connection,
        settings: ServerSettings,
        onEnd: @escaping @Sendable (ServerSession) -> Void
    ) {
        self.connection = connection
        self.settings = settings
        self.onEnd = onEnd
        lastActivity = connection.loop.now()
    }

    private var inFlightCount: Int { ready.count - startedCount + running.count }
}

// MARK: - The connection's events

extension ServerSession {
    func connection(_ connection: Connection, didReceive input: inout LinkBuffer) -> Int {
        guard !isBroken else {
            input.removeAll()
            return 0
        }
        do {
            var isNewFrame = false
            while true {
                switch try settings.decoder.next(&input) {
                case .frame(let frame):
                    isNewFrame = true
                    try receive(frame)
                case .incomplete(let wanted):
                    watch(input.isEmpty ? .idle : .frame, isNewFrame: isNewFrame)
                    return wanted
                }
            }
        } catch {
            settings.options.logger.debug(
                "closing a connection that broke the protocol",
                metadata: ["peer": "\(connection.peerAddress)", "error": "\(error)"]
            )
            input.removeAll()
            breakOff()
            return 0
        }
    }

    private func breakOff() {
        // Requests that came whole before it are still answered; nothing more is read.
        isBroken = true
        connection.pauseReading()
        closeIfDone()
    }

    private func receive(_ frame: Frame) throws(WireError) {
        let message = try WireMessage(parsing: frame.payload)
        if frame.header.flags & WireFormat.outOfOrderFlag != 0 { isMultiplexed = true }
        let address = ReplyAddress(
            transport: frame.transport,
            sequenceID: message.sequenceID,
            method: Array(message.method.utf8)
        )
        switch message.type {
        case .call, .oneway, .stream: break
        case .reply, .exception:
            let error = RPCError(
                .protocolViolation,
                "a request cannot be a reply",
                exceptionID: WireFormat.ExceptionID.invalidMessageType
            )
            return send(error, to: address)
        }
        switch settings.router.route(service: frame.header.serviceName, method: message.method) {
        case .failure(let error):
            var unread = address
            // Kitex answers on Framed before it has read the sequence id.
            if frame.transport == .framed { unread.sequenceID = 0 }
            send(error, to: unread)
        case .success(let route):
            admit(frame, message, route, address)
        }
    }

    private func admit(
        _ frame: Frame,
        _ message: WireMessage,
        _ route: Router.Route,
        _ address: ReplyAddress
    ) {
        guard inFlightCount < settings.options.inFlightLimit else {
            let error = RPCError(
                .resourceExhausted,
                "request over limit: \(settings.options.inFlightLimit) calls in flight",
                exceptionID: WireFormat.ExceptionID.internalError,
                retry: .elsewhere
            )
            return send(error, to: address)
        }
        queue()
        ready.append(
            PendingCall(
                context: makeContext(frame, message, route),
                address: address,
                handler: route.handler,
                body: message.body
            )
        )
    }

    private func makeContext(_ frame: Frame, _ message: WireMessage, _ route: Router.Route)
        -> RPCContext
    {
        let (metadata, persistent) = frame.header.requestMetadata
        let connection = connection
        return RPCContext(
            service: route.service,
            method: message.method,
            deadline: settings.options.deadlines.deadline(
                milliseconds: frame.header.timeoutMilliseconds,
                now: connection.loop.now()
            ),
            metadata: metadata,
            persistentMetadata: persistent,
            transport: frame.transport,
            callerService: frame.header.callerService,
            peer: { connection.peerAddress }
        )
    }

    func connectionDidReachEnd(_ connection: Connection) {
        // The peer may have ended only its own direction and still wait for its replies.
        peerHasEnded = true
        closeIfDone()
    }

    func connectionDidDrainOutput(_ connection: Connection) {
        if !isBroken { connection.resumeReading() }
    }

    func connection(_ connection: Connection, didCloseWith error: NetpollError?) {
        isClosed = true
        ready = []
        startedCount = 0
        for call in running.values { call.end(cancel: true, on: connection.loop) }
        running = [:]
        if let watchTimer { connection.loop.cancel(watchTimer) }
        watchTimer = nil
        onEnd(self)
    }
}

// MARK: - Calls

extension ServerSession {
    /// Starts what was received in this turn.
    ///
    /// A handler that holds its thread for too long loses the loop; whoever takes it over finds the
    /// session queued again and starts the rest.
    func runOnLoop() {
        isQueued = false
        while let call = takeReady() {
            if !ready.isEmpty { queue() }
            guard start(call) else { return }
        }
    }

    private func takeReady() -> PendingCall? {
        guard startedCount < ready.count else { return nil }
        defer {
            startedCount += 1
            if startedCount == ready.count {
                ready.removeAll(keepingCapacity: true)
                startedCount = 0
            }
        }
        return ready[startedCount]
    }

    private func queue() {
        guard !isQueued else { return }
        isQueued = true
        connection.loop.run(self)
    }

    /// - Returns: False if the loop was lost to another thread.
    private func start(_ call: PendingCall) -> Bool {
        let id = ObjectIdentifier(call.context)
        running[id] = RunningCall(context: call.context)
        settings.callCounter.value.wrappingAdd(1, ordering: .relaxed)
        let sink = CallSink(session: self, context: call.context, address: call.address)
        let loop = connection.loop
        var task: Task<Void, Never>?
        let isInside = loop.lend {
            task = Task.immediateDetached(executorPreference: loop) {
                await call.handler.serve(call.body, sink)
                self.settings.callCounter.value.wrappingSubtract(1, ordering: .relaxed)
                loop.perform { self.finished(id) }
            }
        }
        guard let task else { return isInside }
        if isInside {
            follow(task, call.context)
        } else {
            loop.perform { self.follow(task, call.context) }
        }
        return isInside
    }

    /// Takes care that a handler that waits is cancelled at its deadline, or when its caller goes.
    private func follow(_ task: Task<Void, Never>, _ context: RPCContext) {
        let id = ObjectIdentifier(context)
        // Most handlers have answered by now.
        guard running[id] != nil else {
            if isClosed { task.cancel() }
            return
        }
        running[id]?.task = task
        guard context.deadline != .distantFuture else { return }
        running[id]?.timer = connection.loop.schedule(at: context.deadline) { task.cancel() }
    }

    private func finished(_ id: ObjectIdentifier) {
        guard let call = running.removeValue(forKey: id) else { return }
        call.end(cancel: false, on: connection.loop)
        closeIfDone()
    }

    private func closeIfDone() {
        guard inFlightCount == 0 else { return }
        if peerHasEnded || isBroken { connection.close() } else if isDraining { announceEnd() }
    }

    /// Refuses nothing yet, but lets the peer know once all calls are answered.
    func drain() {
        connection.loop.perform {
            self.isDraining = true
            self.closeIfDone()
        }
    }

    /// Cancels what still runs and closes.
    ///
    /// Called when draining has taken too long.
    func cancelAll() {
        connection.loop.perform {
            for call in self.running.values { call.end(cancel: true, on: self.connection.loop) }
            self.connection.close()
        }
    }

    /// All calls are answered: says so and lets go of the connection.
    ///
    /// A multiplexing client gets a moment to close by itself: what it sent before it heard is
    /// still served. One that sends a call at a time would take the frame for its next reply.
    private func announceEnd() {
        guard isMultiplexed else { return connection.close() }
        guard !isEndAnnounced else { return }
        isEndAnnounced = true
        sendControlFrame()
        _ = connection.loop.schedule(at: connection.loop.deadline(after: Self.announcementGrace)) {
            [connection] in
            connection.close()
        }
    }

    private static let announcementGrace: Duration = .seconds(1)
}

// MARK: - Timeouts

extension ServerSession {
    /// Begins to watch a new connection, which may never send a byte.
    func begin() { watch(.firstByte) }

    /// Begins to wait.
    ///
    /// A frame keeps the time of its first byte, however slowly the rest drips in.
    private func watch(_ next: Watched, isNewFrame: Bool = false) {
        if next == .frame, watched == .frame, !isNewFrame { return }
        let now = connection.loop.now()
        lastActivity = now
        // An idle timer that is set already looks at `lastActivity` when it fires.
        if next == .idle, watched == .idle { return }
        watched = next
        let loop = connection.loop
        if let watchTimer { loop.cancel(watchTimer) }
        watchTimer = loop.schedule(at: now.advanced(by: timeout(of: next))) { [weak self] in
            self?.watchEnded()
        }
    }

    private func timeout(of watched: Watched) -> Duration {
        switch watched {
        case .firstByte: min(settings.options.firstByteTimeout, settings.options.idleTimeout)
        case .frame: settings.options.frameTimeout
        case .idle, .nothing: settings.options.idleTimeout
        }
    }

    private func watchEnded() {
        watchTimer = nil
        let idleEnd = lastActivity.advanced(by: settings.options.idleTimeout)
        if watched == .idle, inFlightCount > 0 || idleEnd > connection.loop.now() {
            let next =
                inFlightCount > 0
                ? connection.loop.deadline(after: settings.options.idleTimeout) : idleEnd
            watchTimer = connection.loop.schedule(at: next) { [weak self] in self?.watchEnded() }
            return
        }
        connection.close()
    }
}
