internal import NetpollCore

/// A peer that does not read its replies gets to send no more requests until it does, and of its
/// calls those that wait are not started.
///
/// So a connection holds no more than its mark and the replies of the handlers that were running
/// when it reached that. What waits counts in flight and ends at its deadline; a peer that takes
/// nothing at all loses its connection by the stall timeout.
extension ServerSession {
    /// Called after each reply.
    ///
    /// Any thread.
    func holdBackPeer() {
        guard connection.hasExcessOutput else { return }
        connection.loop.perform { self.holdBack() }
    }

    private func holdBack() {
        guard connection.hasExcessOutput, !isHeldBack, !isClosed else { return }
        isHeldBack = true
        connection.pauseReading()
        endFrameWatch()
        // Most peers read, and this is over at the end of the turn.
        connection.loop.execute { self.watchWaiting() }
    }

    /// The peer has read: goes on where it was held back.
    func connectionDidDrainOutput(_ connection: Connection) {
        // Other threads may have answered meanwhile; then this comes again.
        guard !connection.hasExcessOutput else { return }
        if isHeldBack {
            isHeldBack = false
            heldBackUntil = connection.loop.now()
            endWaitTimer()
        }
        // Calls may wait though all was over before it could be noted.
        let workers = heldWorkers
        heldWorkers = []
        for waiter in workers { waiter.finish(.success(())) }
        if !waiting.isEmpty { queue() }
        if !isBroken { connection.resumeReading() }
    }

    /// Since when a call has waited for the server and not for its own peer.
    func waitBegan(_ call: ServerCall) -> Deadline { max(call.receivedAt, heldBackUntil) }
}

// MARK: - Calls that wait for the loop

extension ServerSession {
    /// Ends calls at their deadlines while they wait for their peer; sets the timer for the next.
    private func watchWaiting() {
        endWaitTimer()
        guard isHeldBack else { return }
        let now = connection.loop.now()
        let late = waiting.removeAll { $0.context.deadline <= now }
        if let next = waiting.elements.map(\.context.deadline).min(), next != .distantFuture {
            waitTimer = connection.loop.schedule(at: next) { self.watchWaiting() }
        }
        for call in late { abandon(call, Self.lateError) }
    }

    /// The error of a call whose caller gave up before its handler could start.
    static var lateError: RPCError {
        RPCError(.deadlineExceeded, "the caller's deadline passed")
    }

    private func endWaitTimer() {
        if let waitTimer { connection.loop.cancel(waitTimer) }
        waitTimer = nil
    }
}

// MARK: - Calls on a worker pool

extension ServerSession {
    /// Suspends a call that has got a worker until its peer has read or its task is cancelled; its
    /// thread serves others meanwhile.
    ///
    /// - Returns: Whether it had to wait.
    func waitForPeer() async -> Bool {
        guard connection.hasExcessOutput else { return false }
        while connection.hasExcessOutput, !Task.isCancelled {
            let waiter = Waiter<Void>()
            // Nothing fails here: a cancelled task goes on as any other.
            try? await waiter.wait(
                begin: {
                    let accepted = connection.loop.perform { self.hold(waiter) }
                    if !accepted { waiter.finish(.success(())) }
                },
                onCancel: { waiter.finish(.success(())) }
            )
        }
        return true
    }

    private func hold(_ waiter: Waiter<Void>) {
        if connection.hasExcessOutput, !isClosed {
            heldWorkers.append(waiter)
        } else {
            waiter.finish(.success(()))
        }
    }
}
