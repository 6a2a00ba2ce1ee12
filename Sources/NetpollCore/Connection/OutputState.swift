extension Connection {
    /// The write side, shared by all threads under the connection's output lock.
    struct OutputState: ~Copyable {
        /// A task that waits to write.
        struct Writer {
            let byteCount: Int
            let waiter: Waiter<Void>
        }

        /// A task that waits until everything before a position has been sent.
        private struct Flush {
            let position: UInt64
            let waiter: Waiter<Void>
        }

        /// Bytes that wait for a flush.
        var pending = LinkBuffer()
        /// Bytes that a flush has in hand.
        var flushingByteCount = 0
        /// Bytes that were ever queued.
        private var acceptedByteCount: UInt64 = 0
        /// Bytes that tasks which were let in are about to queue.
        private var promisedByteCount = 0
        /// Some thread is sending; it will also send what is queued meanwhile.
        private(set) var isFlushing = false
        /// The kernel's buffer is full; the loop waits until the socket can be written.
        var isBlocked = false
        /// No more bytes are accepted.
        private(set) var isClosed = false
        /// What is queued will never be sent: the connection is gone.
        private(set) var isAbandoned = false
        /// Why bytes that were accepted have not been sent and never will be.
        private(set) var loss: NetpollError?
        /// The position from which on nothing has left and never will, once that is certain.
        private(set) var unsentPosition: UInt64?
        /// The loop closed the connection while another thread was sending.
        private var closesIOAfterFlush = false
        /// The loop waits to hear that nothing is queued any more.
        private var isDraining = false
        /// So much was queued, or for so long, that somebody may wait until it is gone.
        private var isBehind = false
        /// More was queued than the mark allows, and it is not all gone yet.
        private(set) var isAboveMark = false
        /// First come, first served.
        private var writers: [Writer] = []
        private var flushes: [Flush] = []

        var queuedByteCount: Int { pending.byteCount + flushingByteCount }

        private var sentByteCount: UInt64 { acceptedByteCount - UInt64(queuedByteCount) }
    }
}

/// What is left to do after a flush, outside the lock.
struct FlushEnd: ~Copyable {
    let wakes: [Waiter<Void>]
    let admissions: [Connection.OutputState.Writer]
    let closesIO: Bool
    let hasMore: Bool
    let hasCaughtUp: Bool
    let isDrained: Bool
}

/// What the end of a connection leaves behind of its write side.
struct AbandonedOutput: ~Copyable {
    /// What was queued; let go of outside the lock, because that may run a deallocator.
    let dropped: LinkBuffer
    let waiting: [Waiter<Void>]
    /// Some thread is sending.
    let isFlushing: Bool
}

/// How a flush goes on after a batch.
enum FlushStep: ~Copyable {
    case more(LinkBuffer)
    case end(FlushEnd)
    /// Nobody waits for anything: the most usual end.
    case quiet
}

// MARK: - Writing

extension Connection.OutputState {
    /// Queues what `body` writes; with more than `mark` bytes queued, the end of it all is told.
    ///
    /// - Returns: False when the connection is closed and the bytes were not queued.
    mutating func queue(mark: Int, _ body: (inout LinkBuffer) -> Void) -> Bool {
        guard !isClosed else { return false }
        let before = pending.byteCount
        body(&pending)
        acceptedByteCount += UInt64(max(0, pending.byteCount - before))
        if queuedByteCount > mark {
            isBehind = true
            isAboveMark = true
        }
        return true
    }

    /// Where the next byte goes, if it has to wait because the kernel takes no more.
    var waitingPosition: UInt64? { isBlocked ? acceptedByteCount : nil }

    /// What waits will never be sent; of a batch that a thread has in hand it is only known of `rest`.
    private mutating func noteUnsent(besides rest: Int = 0) {
        let unsent = pending.byteCount + rest
        unsentPosition = unsentPosition ?? acceptedByteCount - UInt64(unsent)
    }

    /// Lets a task write so many bytes if there is room and nobody came before it.
    mutating func admit(_ byteCount: Int, below mark: Int) -> Bool {
        guard writers.isEmpty, hasRoom(below: mark) else { return false }
        promisedByteCount += byteCount
        return true
    }

    private func hasRoom(below mark: Int) -> Bool { queuedByteCount + promisedByteCount < mark }

    mutating func add(_ writer: Writer) { writers.append(writer) }

    /// A task that was let in has written, or will not.
    mutating func endAdmission(_ byteCount: Int) { promisedByteCount -= byteCount }

    /// Those whose turn it is to write, with their bytes promised.
    mutating func takeAdmissions(below mark: Int) -> [Writer] {
        guard loss == nil, !writers.isEmpty else { return [] }
        var count = 0
        while count < writers.count, hasRoom(below: mark) {
            promisedByteCount += writers[count].byteCount
            count += 1
        }
        defer { writers.removeFirst(count) }
        return Array(writers[..<count])
    }

    mutating func remove(_ waiter: Waiter<Void>) {
        writers.removeAll { $0.waiter === waiter }
        flushes.removeAll { $0.waiter === waiter }
    }

    /// Has a task wait for all that was queued so far.
    ///
    /// - Returns: The outcome if it is known now.
    mutating func waitForFlush(_ waiter: Waiter<Void>) -> Waiter<Void>.Outcome? {
        if let loss { return .failure(loss) }
        if queuedByteCount == 0 { return .success(()) }
        flushes.append(Flush(position: acceptedByteCount, waiter: waiter))
        return nil
    }
}

// MARK: - Flushing

extension Connection.OutputState {
    /// Takes what is to be sent, unless somebody is sending or nobody can.
    mutating func beginFlush() -> LinkBuffer? {
        guard !isFlushing, !isBlocked, loss == nil, !pending.isEmpty else { return nil }
        isFlushing = true
        flushingByteCount = pending.byteCount
        return pending.takeAll()
    }

    /// After a batch was sent: takes what was queued meanwhile, or ends the flush.
    mutating func nextBatch(isOurs: Bool, below mark: Int) -> FlushStep {
        if pending.isEmpty, !isBehind, !isDraining, !closesIOAfterFlush, writers.isEmpty,
            flushes.isEmpty
        {
            isFlushing = false
            flushingByteCount = 0
            return .quiet
        }
        guard isOurs, !pending.isEmpty else { return .end(endFlush(below: mark)) }
        flushingByteCount = pending.byteCount
        return .more(pending.takeAll())
    }

    private mutating func endFlush(below mark: Int) -> FlushEnd {
        isFlushing = false
        flushingByteCount = 0
        let hasCaughtUp = isBehind && pending.isEmpty && loss == nil
        if hasCaughtUp {
            isBehind = false
            isAboveMark = false
        }
        return FlushEnd(
            wakes: takeFlushed(),
            admissions: takeAdmissions(below: mark),
            closesIO: closesIOAfterFlush,
            hasMore: !isBlocked && !pending.isEmpty,
            hasCaughtUp: hasCaughtUp,
            isDrained: isDraining && pending.isEmpty && loss == nil
        )
    }

    /// The kernel took no more: what is left waits for room.
    mutating func suspendFlush(_ rest: inout LinkBuffer, below mark: Int) -> FlushEnd {
        rest.append(pending.takeAll())
        swap(&pending, &rest)
        isBlocked = !isAbandoned
        isBehind = true
        return endFlush(below: mark)
    }

    /// Sending failed: nothing that was queued will ever arrive, so nothing more is accepted, or it
    /// would follow a gap.
    ///
    /// `rest` is how much of the batch the kernel has not taken; what was pending goes to `dropped`.
    mutating func failFlush(
        _ error: NetpollError,
        rest: Int,
        _ dropped: inout LinkBuffer
    ) -> FlushEnd {
        loss = loss ?? error
        isClosed = true
        noteUnsent(besides: rest)
        swap(&pending, &dropped)
        return endFlush(below: 0)
    }

    private mutating func takeFlushed() -> [Waiter<Void>] {
        guard !flushes.isEmpty, loss == nil else { return [] }
        // In the order of their positions, because that is the order in which they came.
        let sent = sentByteCount
        let count = flushes.firstIndex { $0.position > sent } ?? flushes.count
        defer { flushes.removeFirst(count) }
        return flushes[..<count].map(\.waiter)
    }

    // MARK: Closing

    /// Accepts no more bytes.
    ///
    /// - Returns: Whether nothing is queued.
    mutating func beginDrain() -> Bool {
        isClosed = true
        isDraining = true
        return queuedByteCount == 0
    }

    /// Drops everything.
    mutating func abandon(_ error: NetpollError) -> AbandonedOutput {
        isClosed = true
        isAbandoned = true
        isBlocked = false
        noteUnsent()
        let dropped = pending.takeAll()
        if loss == nil, !dropped.isEmpty || isFlushing { loss = error }
        closesIOAfterFlush = isFlushing
        defer {
            writers = []
            flushes = []
        }
        return AbandonedOutput(
            dropped: dropped,
            waiting: writers.map(\.waiter) + flushes.map(\.waiter),
            isFlushing: isFlushing
        )
    }
}
