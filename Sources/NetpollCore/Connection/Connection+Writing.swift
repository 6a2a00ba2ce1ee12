internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

extension Connection {
    /// One sendmsg(2) gathers at most so many blocks; the kernel's own limit is 1024.
    private static let vectorLimit = 64
    /// A thread that sends what others queue goes on for so many batches before it leaves the rest
    /// to the loop's next turn.
    private static let batchLimit = 16

    /// Queues what `body` writes and sends it: on the loop's own thread when its present event has
    /// been handled, or at the end of the turn; on any other thread at once.
    ///
    /// Never waits; see ``outputByteCount`` and ``write(_:deadline:)-(BufferSlice,_)`` for
    /// back-pressure.
    ///
    /// `body` runs under the connection's output lock and must not call the connection.
    ///
    /// - Returns: False when the connection is closed and the bytes were not queued.
    @discardableResult
    public func withOutput(_ body: (inout LinkBuffer) -> Void) -> Bool {
        guard output.withLock({ queue(body, in: &$0) }) else { return false }
        sendQueued()
        return true
    }

    /// As ``withOutput(_:)``, for a caller who wants to know later what was never sent.
    ///
    /// - Returns: Whether the bytes were queued and, when they have to wait because the kernel takes
    ///   no more, their position in the stream; see ``unsentPosition``.
    package func queueOutput(_ body: (inout LinkBuffer) -> Void) -> (
        isQueued: Bool, position: UInt64?
    ) {
        let result = output.withLock { state in
            let position = state.waitingPosition
            return (isQueued: queue(body, in: &state), position: position)
        }
        if result.isQueued { sendQueued() }
        return result
    }

    private func queue(_ body: (inout LinkBuffer) -> Void, in state: inout OutputState) -> Bool {
        defer { showMark(of: state) }
        return state.queue(mark: options.writeHighWaterMark, body)
    }

    private func showMark(of state: borrowing OutputState) {
        guard isOutputAboveMark.load(ordering: .relaxed) != state.isAboveMark else { return }
        isOutputAboveMark.store(state.isAboveMark, ordering: .relaxed)
    }

    /// Once the connection is gone: the position in the stream from which on no byte was sent.
    ///
    /// Any thread.
    package var unsentPosition: UInt64? { output.withLock { $0.unsentPosition } }

    private func sendQueued() {
        if !loop.ifInside({ touch() }) { flushOutput() }
    }

    /// The number of bytes that were written but not yet taken by the kernel.
    ///
    /// Any thread.
    public var outputByteCount: Int { output.withLock { $0.queuedByteCount } }

    /// Whether more than ``ConnectionOptions/writeHighWaterMark`` bytes were queued, of which the
    /// kernel has not taken all yet.
    ///
    /// One atomic load, any thread. Who finds it true on the loop is still to hear
    /// ``ConnectionHandler/connectionDidDrainOutput(_:)``, unless the connection closes.
    package var hasExcessOutput: Bool { isOutputAboveMark.load(ordering: .relaxed) }

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
        try await waitForRoom(slice.count, deadline: deadline)
        try write(admitted: slice.count) { $0.append(slice) }
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
        let byteCount = buffer.byteCount
        try await waitForRoom(byteCount, deadline: deadline)
        try write(admitted: byteCount) { $0.append(buffer.takeAll()) }
    }

    private func write(admitted byteCount: Int, _ body: (inout LinkBuffer) -> Void)
        throws(NetpollError)
    {
        let isQueued = output.withLock { state in
            state.endAdmission(byteCount)
            return queue(body, in: &state)
        }
        guard isQueued else { throw closedForWriting }
        sendQueued()
    }

    /// Suspends until the kernel has taken every byte written before the call.
    ///
    /// Any thread.
    ///
    /// - Parameter deadline: When to stop waiting; what is queued is still sent after that.
    /// - Throws: ``NetpollError``: what broke the connection, `timedOut` or `cancelled`.
    public func flush(deadline: Deadline = .distantFuture) async throws(NetpollError) {
        let waiter = Waiter<Void>()
        try await wait(waiter, deadline) {
            if let outcome = self.output.withLock({ $0.waitForFlush(waiter) }) {
                waiter.finish(outcome)
            }
        }
    }

    /// Suspends while as many bytes are queued as ``ConnectionOptions/writeHighWaterMark`` allows, or
    /// others wait who came before; then `byteCount` bytes count as queued until ``endAdmission(_:)``.
    package func waitForRoom(_ byteCount: Int, deadline: Deadline) async throws(NetpollError) {
        if try admit(byteCount, nil) { return }
        let waiter = Waiter<Void>()
        try await wait(waiter, deadline) {
            let outcome = Result { () throws(NetpollError) in try self.admit(byteCount, waiter) }
            switch outcome {
            case .success(let isAdmitted): if isAdmitted { self.wake(waiter, byteCount) }
            case .failure(let error): waiter.finish(.failure(error))
            }
        }
    }

    /// Ends what ``waitForRoom(_:deadline:)`` began: the bytes have been queued, or will not be.
    package func endAdmission(_ byteCount: Int) {
        admitWaiting { $0.endAdmission(byteCount) }
    }

    private func admit(_ byteCount: Int, _ waiter: Waiter<Void>?) throws(NetpollError) -> Bool {
        try output.withLock { (state) throws(NetpollError) in
            if let loss = state.loss { throw loss }
            guard !state.isClosed else { throw closedForWriting }
            if state.admit(byteCount, below: options.writeHighWaterMark) { return true }
            if let waiter { state.add(.init(byteCount: byteCount, waiter: waiter)) }
            return false
        }
    }

    /// Lets a task go on to write; one that has given up leaves its place to the next.
    private func wake(_ waiter: Waiter<Void>, _ byteCount: Int) {
        if !waiter.finish(.success(())) { endAdmission(byteCount) }
    }

    private func admitWaiting(after change: (inout OutputState) -> Void) {
        let mark = options.writeHighWaterMark
        let admissions = output.withLock { state in
            change(&state)
            return state.takeAdmissions(below: mark)
        }
        for writer in admissions { wake(writer.waiter, writer.byteCount) }
    }

    var closedForWriting: NetpollError {
        NetpollError(.connectionClosed, "the connection to \(peerAddress) is closed for writing")
    }

    private func wait(_ waiter: Waiter<Void>, _ deadline: Deadline, begin: () -> Void)
        async throws(NetpollError)
    {
        defer { output.withLock { $0.remove(waiter) } }
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
        guard var batch = output.withLock({ $0.beginFlush() }) else { return }
        let mark = options.writeHighWaterMark
        for batchCount in 1... {
            switch send(&batch) {
            case .moved: break
            case .wouldBlock: return suspendFlush(batch)
            case .failure(let number): return failFlush(number, rest: batch.byteCount)
            }
            let isOurs = batchCount < Self.batchLimit
            let step = output.withLock { state in
                let step = state.nextBatch(isOurs: isOurs, below: mark)
                showMark(of: state)
                return step
            }
            switch consume step {
            case .more(let next): batch = next
            case .end(let end): return finish(end)
            case .quiet: return
            }
        }
    }

    /// Sends a batch.
    ///
    /// `.moved` means that all of it is gone.
    private func send(_ batch: inout LinkBuffer) -> IOResult {
        if var piece = batch.onlyRun {
            let result = withUnsafeMutablePointer(to: &piece) {
                io.write(UnsafeMutableBufferPointer(start: $0, count: 1), loop.faults)
            }
            guard case .moved(let count) = result else { return result }
            noteActivity()
            if count == batch.byteCount {
                batch.removeAll()
                return .moved(0)
            }
            batch.skip(count)
        }
        return withUnsafeTemporaryAllocation(of: iovec.self, capacity: Self.vectorLimit) {
            gather(&batch, $0)
        }
    }

    private func gather(_ batch: inout LinkBuffer, _ vectors: UnsafeMutableBufferPointer<iovec>)
        -> IOResult
    {
        while !batch.isEmpty {
            let filled = batch.fill(vectors)
            let pieces = UnsafeMutableBufferPointer(rebasing: vectors[..<filled])
            switch io.write(pieces, loop.faults) {
            case .moved(let count):
                noteActivity()
                batch.skip(count)
            case .wouldBlock: return .wouldBlock
            case .failure(let number): return .failure(number)
            }
        }
        return .moved(0)
    }

    private func suspendFlush(_ batch: consuming LinkBuffer) {
        var rest = batch.takeAll()
        let mark = options.writeHighWaterMark
        let end = output.withLock { $0.suspendFlush(&rest, below: mark) }
        loop.perform {
            self.updateInterest()
            self.watchStall()
        }
        finish(end)
    }

    private func failFlush(_ number: Int32, rest: Int) {
        active.store(false, ordering: .releasing)
        let error = SystemError.make(number, "write to \(peerAddress)")
        // Let go of outside the lock, because that may run a deallocator.
        var dropped = LinkBuffer()
        let end = output.withLock { $0.failFlush(error, rest: rest, &dropped) }
        dropped.removeAll()
        finish(end)
        loop.perform { self.outputFailed(error) }
    }

    private func outputFailed(_ error: NetpollError) {
        // The peer may have said why before it went: what it sent is read first.
        if phase == .open, !inputHasEnded, !isReadingPaused { receive() }
        finishClose(error)
    }

    private func finish(_ end: consuming FlushEnd) {
        for waiter in end.wakes { waiter.finish(.success(())) }
        for writer in end.admissions { wake(writer.waiter, writer.byteCount) }
        if end.closesIO { loop.execute { self.closeIO() } }
        if end.hasMore { loop.execute { self.flushOutput() } }
        if end.hasCaughtUp { loop.perform { self.outputDidCatchUp() } }
        if end.isDrained { loop.perform { self.outputDidDrain() } }
    }

    /// The loop learnt that the socket takes bytes again.
    func outputBecameWritable() {
        output.withLock { $0.isBlocked = false }
        endStall()
        flushOutput()
        updateInterest()
    }

    private func outputDidCatchUp() {
        guard phase != .closed else { return }
        handler?.connectionDidDrainOutput(self)
    }
}
