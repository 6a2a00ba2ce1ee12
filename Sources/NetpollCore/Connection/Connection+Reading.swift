/// A task that waits for bytes.
///
/// Confined to the connection's loop once it was handed over.
struct ReadRequest: Sendable {
    /// The fewest bytes to resume with; fewer only at the end of the stream.
    let minimum: Int
    /// The most bytes to take.
    let maximum: Int
    let waiter = Waiter<BufferSlice?>()
}

extension Connection {
    /// Reads what is there, at least one byte and at most `limit`.
    ///
    /// Any thread; one reader at a time.
    ///
    /// - Parameters:
    ///   - limit: The most bytes to return.
    ///   - deadline: When to give up.
    /// - Returns: The bytes, or `nil` once the peer has ended and everything was read.
    /// - Throws: ``NetpollError``: `timedOut` at the deadline (nothing is consumed), `cancelled`,
    ///   `connectionClosed` or what broke the connection.
    public func read(
        upTo limit: Int = 64 << 10,
        deadline: Deadline = .distantFuture
    ) async throws(NetpollError) -> BufferSlice? {
        guard limit > 0 else { return BufferSlice() }
        return try await read(ReadRequest(minimum: 1, maximum: limit), deadline)
    }

    /// Reads exactly `count` bytes.
    ///
    /// Any thread; one reader at a time.
    ///
    /// - Parameters:
    ///   - count: The number of bytes.
    ///   - deadline: When to give up.
    /// - Returns: The bytes, contiguous.
    /// - Throws: ``NetpollError``: `endOfStream` when the peer ended before (nothing is consumed),
    ///   `timedOut`, `cancelled`, `connectionClosed` or what broke the connection.
    public func read(
        count: Int,
        deadline: Deadline = .distantFuture
    ) async throws(NetpollError) -> BufferSlice {
        guard count > 0 else { return BufferSlice() }
        guard let slice = try await read(ReadRequest(minimum: count, maximum: count), deadline)
        else {
            throw NetpollError(.endOfStream, "\(peerAddress) ended before \(count) bytes came")
        }
        return slice
    }

    /// Suspends until more than `count` bytes wait to be read, without reading them.
    ///
    /// Any thread; counts as a reader.
    ///
    /// - Parameters:
    ///   - count: How many bytes are known already.
    ///   - deadline: When to give up.
    /// - Returns: False once the peer has ended and no more bytes will come.
    /// - Throws: As ``read(upTo:deadline:)``.
    public func waitForInput(
        moreThan count: Int = 0,
        deadline: Deadline = .distantFuture
    ) async throws(NetpollError) -> Bool {
        let minimum = max(0, count).addingReportingOverflow(1).partialValue
        return try await read(ReadRequest(minimum: minimum, maximum: 0), deadline) != nil
    }

    private func read(
        _ request: ReadRequest,
        _ deadline: Deadline
    ) async throws(NetpollError) -> BufferSlice? {
        try await request.waiter.wait {
            let accepted = loop.perform { self.begin(request, deadline) }
            if !accepted { request.waiter.finish(.failure(closedError())) }
        } onCancel: { [self] in
            let error = NetpollError(.cancelled, "read from \(peerAddress)")
            let accepted = loop.perform { self.abandon(request, error) }
            if !accepted { request.waiter.finish(.failure(error)) }
        }
    }

    private func begin(_ request: ReadRequest, _ deadline: Deadline) {
        // Cancelled before it got here: as a reader that nobody waits for it would swallow bytes.
        guard !request.waiter.isFinished else { return }
        guard handler == nil, readRequest == nil else {
            let reason = handler == nil ? "another task is reading" : "its handler reads"
            request.waiter.finish(
                .failure(NetpollError(.limitExceeded, "\(peerAddress): \(reason)"))
            )
            return
        }
        readRequest = request
        wantedInput = request.minimum > 1 ? request.minimum : 0
        serveReadRequest()
        guard readRequest?.waiter === request.waiter, deadline != .distantFuture else { return }
        let peer = peerAddress
        readTimer = loop.schedule(at: deadline) { [weak self] in
            self?.abandon(request, NetpollError(.timedOut, "read from \(peer)"))
        }
    }

    private func abandon(_ request: ReadRequest, _ error: NetpollError) {
        if readRequest?.waiter === request.waiter { endReadRequest() }
        request.waiter.finish(.failure(error))
    }

    private func endReadRequest() {
        readRequest = nil
        // The mark that a long message has raised falls again.
        wantedInput = 0
        if let readTimer { loop.cancel(readTimer) }
        readTimer = nil
    }

    /// Ends the waiting read if it can be ended.
    func serveReadRequest() {
        guard let request = readRequest else { return }
        if input.byteCount >= request.minimum {
            let slice =
                request.maximum == 0
                ? BufferSlice()
                : request.minimum == request.maximum
                    ? input.readSlice(request.minimum) : input.readFirstSlice(upTo: request.maximum)
            endReadRequest()
            readByteCount += UInt64(slice?.count ?? 0)
            if input.isEmpty { input.removeAll() }
            _ = chargeInput()
            request.waiter.finish(.success(slice))
        } else if isClosedLocally || (phase == .closed && !inputHasEnded) {
            endReadRequest()
            request.waiter.finish(.failure(closedError()))
        } else if inputHasEnded {
            endReadRequest()
            request.waiter.finish(.success(nil))
        }
        if phase == .open, isReadingPaused,
            input.byteCount < max(wantedInput, options.readHighWaterMark / 2)
        {
            resumeReading()
        }
    }

    func closedError() -> NetpollError {
        closeError ?? NetpollError(.connectionClosed, "the connection to \(peerAddress) is closed")
    }
}
