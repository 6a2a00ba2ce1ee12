internal import NetpollCore
internal import Synchronization

/// The handlers of a connection: their start, their end, and what cancels them.
extension ServerSession {
    /// Starts what was received in this turn.
    ///
    /// A handler that holds its thread for too long loses the loop; whoever takes it over finds the
    /// session queued again and starts the rest.
    func runOnLoop() {
        isQueued = false
        while let call = takeForLoop() {
            if !waiting.isEmpty { queue() }
            guard handlerTasks().run(call) else { return }
        }
    }

    /// Admits the next call to its handler, if one is ready to run on the loop; those before it that
    /// run elsewhere, or not at all, are settled.
    ///
    /// None, while the peer does not read what it was answered.
    func takeForLoop() -> ServerCall? {
        while !connection.hasExcessOutput, let call = waiting.popFirst() {
            if let workers = call.route.workers {
                start(call, on: workers)
            } else if let refusal = refusal(call, waitingSince: waitBegan(call)) {
                abandon(call, refusal)
            } else {
                addRunning(call)
                return call
            }
        }
        return nil
    }

    func queue() {
        guard !isQueued else { return }
        isQueued = true
        connection.loop.run(self)
    }

    private func handlerTasks() -> HandlerTasks {
        if let tasks { return tasks }
        let joined = settings.handlerTasks[connection.loop.index]
        joined.join()
        tasks = joined
        return joined
    }

    private func start(_ call: ServerCall, on workers: WorkerPool) {
        let waitBegan = waitBegan(call)
        do throws(NetpollError) {
            let started = ContextHolder.$current.withValue(ContextHolder(call.context)) {
                Result { () throws(NetpollError) in
                    try workers.start {
                        let hasWaited = await self.waitForPeer()
                        let begin = hasWaited ? self.connection.loop.now() : waitBegan
                        // It has waited for a thread, and perhaps its caller has given up by now.
                        if Task.isCancelled {
                            call.fail(CancellationError())
                        } else if let refusal = self.refusal(call, waitingSince: begin) {
                            self.refuse(refusal, call)
                        } else {
                            await call.route.handler.serve(call)
                        }
                        self.settings.limits.release(1)
                        self.connection.loop.perform { self.finished(call) }
                    }
                }
            }
            let task = try started.get()
            // Its end comes to this loop later than this.
            addRunning(call)
            call.follow { task.cancel() }
        } catch {
            abandon(call, .overLimit("\(error)", .elsewhere))
        }
    }

    /// Why a call is not to run after it has waited, if so.
    private func refusal(
        _ call: ServerCall,
        waitingSince begin: @autoclosure () -> Deadline
    ) -> RPCError? {
        guard settings.limits.measuresDelay else { return nil }
        let now = connection.loop.now()
        if call.context.deadline <= now { return Self.lateError }
        return settings.limits.refusal(waitingSince: begin(), now: now)
    }

    /// Answers a call that will not be started.
    func abandon(_ call: ServerCall, _ error: RPCError) {
        refuse(error, call)
        settings.limits.release(1)
        closeIfDone()
    }

    private func addRunning(_ call: ServerCall) {
        call.runningIndex = running.count
        running.append(call)
    }

    /// The handler has returned.
    func finished(_ call: ServerCall) {
        call.hasReturned = true
        guard let index = call.runningIndex else { return }
        call.runningIndex = nil
        // The last one takes the place.
        let last = running.removeLast()
        if last !== call {
            running[index] = last
            last.runningIndex = index
        }
        call.endFollowing(cancel: false)
        closeIfDone()
    }

    /// Cancels what runs; it still counts as running until it has returned.
    func cancelRunning() {
        for call in running { call.endFollowing(cancel: true) }
    }
}

// MARK: - The end

extension ServerSession {
    func closeIfDone() {
        guard isDone else { return }
        if peerHasEnded || isBroken { connection.close() } else if isDraining { announceEnd() }
    }

    /// Refuses nothing yet, but lets the peer know once all calls are answered.
    func drain() {
        connection.loop.perform {
            self.isDraining = true
            if !self.isMultiplexed { self.repliesAreLast.store(true, ordering: .relaxed) }
            self.closeIfDone()
        }
    }

    /// Cancels what still runs, takes no more and closes once that has been answered.
    ///
    /// Called when draining has taken too long.
    func cancelAll() {
        connection.loop.perform {
            guard !self.isClosed else { return }
            self.isCancelling = true
            self.cancelRunning()
            self.breakOff()
        }
    }

    /// All calls are answered: says so and lets go of the connection.
    ///
    /// The client gets a moment, in which what it sent before it heard is still served. One that
    /// multiplexes is told by a control frame and closes by itself. One that sends a call at a time
    /// would take that frame for its next reply: it is told by its replies, and each gives it
    /// another moment, because it may have sent the next request before it read the last reply.
    private func announceEnd() {
        if isMultiplexed {
            guard !isEndAnnounced else { return }
            isEndAnnounced = true
            sendControlFrame()
            endAfter(Self.announcementGrace)
        } else {
            endAfter(Self.silentGrace)
        }
    }

    private func endAfter(_ grace: Duration) {
        let loop = connection.loop
        if let graceTimer { loop.cancel(graceTimer) }
        graceTimer = loop.schedule(at: loop.deadline(after: grace)) { self.graceEnded() }
    }

    /// A call that has come meanwhile is answered first.
    private func graceEnded() {
        graceTimer = nil
        if !isClosed, isMultiplexed || isDone { breakOff() }
    }

    private static let announcementGrace: Duration = .seconds(1)
    /// For clients that cannot be told: long enough for a request that is on its way.
    private static let silentGrace: Duration = .milliseconds(100)
}
