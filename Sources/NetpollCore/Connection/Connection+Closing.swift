internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

extension Connection {
    /// Closes in good order: accepts no more writes, sends what is queued within
    /// ``ConnectionOptions/drainTimeout``, ends the write direction and waits half a second for the
    /// peer's end, so that no reset overtakes what was sent.
    ///
    /// Any thread; further calls do nothing.
    public func close() {
        active.store(false, ordering: .releasing)
        loop.perform { self.beginDrain() }
    }

    /// Closes at once and drops what is queued.
    ///
    /// Any thread; further calls do nothing.
    ///
    /// - Parameter error: What the handler is told; `nil` for a close that is nobody's fault.
    public func abort(_ error: NetpollError? = nil) {
        active.store(false, ordering: .releasing)
        loop.perform {
            self.isClosedLocally = true
            self.finishClose(error)
        }
    }

    /// As ``abort(_:)``, and the peer learns at once that this side reads no more either: after an
    /// end alone it would go on to work on its answer.
    package func reset() {
        active.store(false, ordering: .releasing)
        loop.perform {
            self.isClosedLocally = true
            self.resetsOnClose = true
            self.finishClose(nil)
        }
    }

    /// Sends what is queued and then ends the write direction; reading goes on.
    ///
    /// The connection is inactive from then on, and gone once the peer has ended too. Any thread.
    public func closeOutput() {
        active.store(false, ordering: .releasing)
        loop.perform {
            self.becomeInactive()
            guard self.phase == .open else { return }
            self.drainOutput()
        }
    }

    /// The connection cannot be used any more, whether or not it is gone: tells who asked.
    ///
    /// Loop only.
    func becomeInactive() {
        active.store(false, ordering: .releasing)
        let callbacks = inactiveCallbacks
        inactiveCallbacks = []
        for callback in callbacks { callback() }
    }

    private func beginDrain() {
        becomeInactive()
        guard phase == .open else { return }
        phase = .draining
        isClosedLocally = true
        input.removeAll()
        wantedInput = 0
        serveReadRequest()
        closeFinally(at: loop.deadline(after: options.drainTimeout))
        drainOutput()
    }

    /// How long the peer may take to end its direction once everything was sent.
    private static let lingerTimeout: Duration = .milliseconds(500)

    private func closeFinally(at deadline: Deadline) {
        if let drainTimer { loop.cancel(drainTimer) }
        drainTimer = loop.schedule(at: deadline) { [weak self] in self?.finishClose(nil) }
    }

    /// Refuses further writes and goes on in ``outputDidDrain()`` when nothing is queued.
    private func drainOutput() {
        let isDrained = output.withLock { $0.beginDrain() }
        if isDrained { outputDidDrain() } else { flushOutput() }
    }

    /// Everything that was written has left; loop only.
    func outputDidDrain() {
        guard phase != .closed else { return }
        io.shutdown(.write)
        outputHasEnded = true
        if inputHasEnded { return finishClose(nil) }
        guard phase == .draining else { return }
        closeFinally(at: loop.deadline(after: Self.lingerTimeout))
        // Closing with unread bytes would reset the connection and could destroy the last reply.
        if isReadingPaused {
            isReadingPaused = false
            updateInterest()
        }
    }

    /// Gives everything back: the end of every way to close.
    ///
    /// Loop only; runs once.
    func finishClose(_ error: NetpollError?) {
        loop.assertInside()
        guard phase != .closed else { return }
        phase = .closed
        closeError = error
        becomeInactive()
        endWatch()
        if let drainTimer { loop.cancel(drainTimer) }
        drainTimer = nil
        endStall()
        if let idleTimer { loop.cancel(idleTimer) }
        idleTimer = nil
        closeOutputState(error ?? closedForWriting)
        // What came before the peer's end stays readable, whatever happened to the other direction.
        if isClosedLocally || !inputHasEnded { input.removeAll() }
        serveReadRequest()
        _ = chargeInput()
        let told = handler
        handler = nil
        told?.connection(self, didCloseWith: error)
        let callbacks = closeCallbacks
        closeCallbacks = []
        for callback in callbacks { callback() }
    }

    private func closeOutputState(_ error: NetpollError) {
        let abandoned = output.withLock { $0.abandon(error) }
        for waiter in abandoned.waiting { waiter.finish(.failure(error)) }
        if abandoned.isFlushing {
            // Another thread is inside a write: that closes when that one is done.
            io.shutdown(.both)
        } else {
            closeIO()
        }
    }
}
