internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

extension Connection {
    /// The write side, shared by all threads under the connection's output lock.
    struct OutputState: ~Copyable {
        /// Bytes that wait for a flush.
        var pending = LinkBuffer()
        /// Bytes that a flush has in hand.
        var flushingByteCount = 0
        /// Some thread is sending; it will also send what is queued meanwhile.
        var isFlushing = false
        /// The kernel's buffer is full; the loop waits until the socket can be written.
        var isBlocked = false
        /// No more bytes are accepted.
        var isClosed = false
        /// What is queued will never be sent: the connection is gone.
        var isAbandoned = false
        /// Why bytes that were accepted have not been sent and never will be.
        var loss: NetpollError?
        /// The loop closed the connection while another thread was sending.
        var closesTransportAfterFlush = false
        /// Tasks that wait until no more than so many bytes are queued.
        var waiters: [(limit: Int, waiter: Waiter<Void>)] = []
        /// The loop waits to hear that nothing is queued any more.
        var isDraining = false

        var queuedByteCount: Int { pending.byteCount + flushingByteCount }
    }

    /// One sendmsg(2) gathers at most so many blocks; the kernel's own limit is 1024.
    private static let vectorLimit = 64

    /// Queues what `body` writes and sends it: at the end of the turn on the loop's own thread, at
    /// once on any other.
    ///
    /// Never waits; see ``outputByteCount`` and ``write(_:)`` for back-pressure.
    ///
    /// `body` runs under the connection's output lock and must not call the connection.
    ///
    /// - Returns: False when the connection is closed and the bytes were not queued.
    @discardableResult
    public func withOutput(_ body: (inout LinkBuffer) -> Void) -> Bool {
        let accepted = output.withLock { state in
            guard !state.isClosed else { return false }
            body(&state.pending)
            return true
        }
        guard accepted else { return false }
        if !loop.ifInside({ touch() }) { flushOutput() }
        return true
    }

    /// The number of bytes that were written but not yet taken by the kernel.
    ///
    /// Any thread.
    public var outputByteCount: Int { output.withLock { $0.queuedByteCount } }

    /// Sends a slice without copying it.
    ///
    /// Suspends first while ``ConnectionOptions/writeHighWaterMark`` bytes or more are queued. Any
    /// thread; concurrent writes never mix their bytes.
    ///
    /// - Parameters:
    ///   - slice: The bytes.
    ///   - deadline: When to stop waiting for room.
    /// - Throws: ``NetpollError``: `connectionClosed`, what broke the connection, `timedOut` or
    ///   `cancelled`; in each case nothing of the slice was sent.
    public func write(
        _ slice: BufferSlice,
        deadline: Deadline = .distantFuture
    ) async throws(NetpollError) {
        try await waitForOutput(below: options.writeHighWaterMark, deadline)
        guard withOutput({ $0.append(slice) }) else { throw closedForWriting }
    }

    /// Sends a copy of some bytes; see ``write(_:deadline:)-(BufferSlice,_)``.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - deadline: When to stop waiting for room.
    /// - Throws: As ``write(_:deadline:)-(BufferSlice,_)``.
    public func write(
        _ bytes: [UInt8],
        deadline: Deadline = .distantFuture
    ) async throws(NetpollError) {
        try await write(BufferSlice(copying: bytes), deadline: deadline)
    }

    /// Moves a buffer's bytes to the end of what is sent, without copying them; see
    /// ``write(_:deadline:)-(BufferSlice,_)``.
    ///
    /// - Parameters:
    ///   - buffer: The bytes; the buffer is empty after the call, and as it was if it throws.
    ///   - deadline: When to stop waiting for room.
    /// - Throws: As ``write(_:deadline:)-(BufferSlice,_)``.
    public func write(
        _ buffer: inout LinkBuffer,
        deadline: Deadline = .distantFuture
    ) async throws(NetpollError) {
        try await waitForOutput(below: options.writeHighWaterMark, deadline)
        guard withOutput({ $0.append(buffer.takeAll()) }) else { throw closedForWriting }
    }

    /// Suspends until the kernel has taken every byte written so far.
    ///
    /// Any thread.
    ///
    /// - Parameter deadline: When to stop waiting; what is queued is still sent after that.
    /// - Throws: ``NetpollError``: what broke the connection, `timedOut` or `cancelled`.
    public func flush(deadline: Deadline = .distantFuture) async throws(NetpollError) {
        try await waitForOutput(below: 1, deadline)
    }

    /// Suspends while as many bytes are queued as ``ConnectionOptions/writeHighWaterMark`` allows.
    package func waitForRoom(deadline: Deadline) async throws(NetpollError) {
        try await waitForOutput(below: options.writeHighWaterMark, deadline)
    }

    var closedForWriting: NetpollError {
        NetpollError(.connectionClosed, "the connection to \(peerAddress) is closed for writing")
    }

    /// Suspends until fewer than `limit` bytes are queued.
    private func waitForOutput(below limit: Int, _ deadline: Deadline) async throws(NetpollError) {
        if let outcome = outputOutcome(below: limit, nil) { return try outcome.get() }
        let waiter = Waiter<Void>()
        defer { output.withLock { $0.waiters.removeAll { $0.waiter === waiter } } }
        let begin = {
            if let outcome = self.outputOutcome(below: limit, waiter) { waiter.finish(outcome) }
        }
        let onCancel: @Sendable () -> Void = { [self] in
            waiter.finish(.failure(NetpollError(.cancelled, "write to \(peerAddress)")))
        }
        guard deadline != .distantFuture else {
            return try await waiter.wait(begin: begin, onCancel: onCancel)
        }
        try await waiter.wait(
            until: deadline,
            on: loop,
            late: .failure(NetpollError(.timedOut, "write to \(peerAddress)")),
            begin: begin,
            onCancel: onCancel
        )
    }

    /// The outcome of a wait if it is known now; otherwise `waiter` is told later.
    private func outputOutcome(below limit: Int, _ waiter: Waiter<Void>?) -> Waiter<Void>.Outcome? {
        output.withLock { state -> Waiter<Void>.Outcome? in
            if let loss = state.loss { return .failure(loss) }
            if state.queuedByteCount < limit { return .success(()) }
            if state.isClosed { return .failure(closedForWriting) }
            if let waiter { state.waiters.append((limit - 1, waiter)) }
            return nil
        }
    }

    private func touch() {
        guard !isTouched else { return }
        isTouched = true
        loop.runAtEndOfTurn(self)
    }
}

extension Connection: LoopRunnable {
    /// The end of a turn in which this connection was written to.
    package func runOnLoop() {
        isTouched = false
        flushOutput()
    }
}

extension Connection {
    /// Sends until nothing is left or the kernel takes no more.
    ///
    /// Any thread; if another thread is sending, that one sends for both.
    func flushOutput() {
        guard var batch = beginFlush() else { return }
        while true {
            switch send(&batch) {
            case .moved:
                guard continueFlush(&batch) else { return }
            case .wouldBlock:
                return suspendFlush(batch)
            case .failure(let number):
                return failFlush(number)
            }
        }
    }

    private func beginFlush() -> LinkBuffer? {
        output.withLock { state -> LinkBuffer? in
            guard !state.isFlushing, !state.isBlocked, !state.pending.isEmpty else { return nil }
            state.isFlushing = true
            state.flushingByteCount = state.pending.byteCount
            return state.pending.takeAll()
        }
    }

    /// Sends a batch.
    ///
    /// `.moved` means that all of it is gone.
    private func send(_ batch: inout LinkBuffer) -> IOResult {
        withUnsafeTemporaryAllocation(of: iovec.self, capacity: Self.vectorLimit) { vectors in
            while !batch.isEmpty {
                let filled = batch.fill(vectors)
                let pieces = UnsafeMutableBufferPointer(rebasing: vectors[..<filled])
                switch transport.write(pieces, loop.faults) {
                case .moved(let count):
                    noteActivity()
                    batch.skip(count)
                case .wouldBlock: return .wouldBlock
                case .failure(let number): return .failure(number)
                }
            }
            return .moved(0)
        }
    }

    /// Takes what was queued during the last batch; false, and the flush is over, if nothing was.
    private func continueFlush(_ batch: inout LinkBuffer) -> Bool {
        var next = LinkBuffer()
        let end = output.withLock { state -> FlushEnd? in
            state.flushingByteCount = state.pending.byteCount
            guard state.pending.isEmpty else {
                swap(&next, &state.pending)
                return nil
            }
            return state.endFlush()
        }
        batch = next
        guard let end else { return true }
        finish(end)
        return false
    }

    private func suspendFlush(_ batch: consuming LinkBuffer) {
        var rest = batch.takeAll()
        let end = output.withLock { state -> FlushEnd in
            rest.append(state.pending.takeAll())
            swap(&state.pending, &rest)
            state.isBlocked = !state.isAbandoned
            return state.endFlush()
        }
        loop.perform {
            self.updateInterest()
            self.watchStall()
        }
        finish(end)
    }

    private func failFlush(_ number: Int32) {
        let error = SystemError.make(number, "write to \(peerAddress)")
        let end = output.withLock { state in
            state.loss = error
            return state.endFlush()
        }
        finish(end)
        loop.perform { self.outputFailed(error) }
    }

    private func outputFailed(_ error: NetpollError) {
        // The peer may have said why before it went: what it sent is read first.
        if phase == .open, !inputHasEnded, !isReadingPaused { receive() }
        finishClose(error)
    }

    private func finish(_ end: consuming FlushEnd) {
        for waiter in end.waiters { waiter.finish(.success(())) }
        if end.closesTransport { loop.execute { self.closeTransport() } }
        if end.isDrained { loop.perform { self.outputDidDrain() } }
    }

    /// The loop learnt that the socket takes bytes again.
    func outputBecameWritable() {
        let wasBlocked = output.withLock { state in
            defer { state.isBlocked = false }
            return state.isBlocked
        }
        endStall()
        flushOutput()
        updateInterest()
        guard wasBlocked, phase != .closed, output.withLock({ $0.queuedByteCount == 0 }) else {
            return
        }
        handler?.connectionDidDrainOutput(self)
    }
}

/// What is left to do after a flush, outside the lock.
struct FlushEnd: ~Copyable {
    var waiters: [Waiter<Void>]
    var closesTransport: Bool
    var isDrained: Bool
}

extension Connection.OutputState {
    mutating func endFlush() -> FlushEnd {
        isFlushing = false
        flushingByteCount = 0
        return FlushEnd(
            waiters: takeSatisfiedWaiters(),
            closesTransport: closesTransportAfterFlush,
            isDrained: isDraining && pending.isEmpty
        )
    }

    private mutating func takeSatisfiedWaiters() -> [Waiter<Void>] {
        guard !waiters.isEmpty, loss == nil else { return [] }
        let queued = queuedByteCount
        let satisfied = waiters.filter { $0.limit >= queued }.map(\.waiter)
        waiters.removeAll { $0.limit >= queued }
        return satisfied
    }
}
