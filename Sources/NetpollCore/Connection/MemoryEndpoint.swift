internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// One direction of a connection in memory.
final class MemoryPipe: Sendable {
    private struct State: ~Copyable {
        var bytes = LinkBuffer()
        /// The writer sends no more.
        var isEnded = false
        /// The reader takes no more.
        var isAbandoned = false
        /// The writer went away without reading what it had been sent.
        var isReset = false
    }

    private let state = Locked(State())

    /// Bytes that may wait for the reader, as in a socket's buffers.
    private static let capacity = 256 << 10

    func read(into pieces: UnsafeMutableBufferPointer<iovec>) -> IOResult {
        state.withLock { state in
            guard !state.isReset else { return .failed(ECONNRESET) }
            guard !state.bytes.isEmpty else { return state.isEnded ? .moved(0) : .wouldBlock }
            var moved = 0
            for piece in pieces {
                let space = UnsafeMutableRawBufferPointer(
                    start: piece.iov_base,
                    count: piece.iov_len
                )
                moved += state.bytes.skip(state.bytes.peek(into: space))
            }
            return .moved(moved)
        }
    }

    func write(_ pieces: UnsafeMutableBufferPointer<iovec>) -> IOResult {
        state.withLock { state in
            guard !state.isEnded, !state.isAbandoned else { return .failed(EPIPE) }
            var moved = 0
            for piece in pieces {
                let room = Self.capacity - state.bytes.byteCount
                let bytes = UnsafeRawBufferPointer(start: piece.iov_base, count: piece.iov_len)
                state.bytes.write(UnsafeRawBufferPointer(rebasing: bytes.prefix(room)))
                moved += min(room, bytes.count)
            }
            return moved == 0 ? .wouldBlock : .moved(moved)
        }
    }

    func end() { state.withLock { $0.isEnded = true } }

    /// The reader goes away.
    ///
    /// - Returns: Whether bytes were lost that the writer had sent.
    func abandon() -> Bool {
        state.withLock { state in
            defer { state.bytes.removeAll() }
            state.isAbandoned = true
            return !state.bytes.isEmpty
        }
    }

    func reset() {
        state.withLock { state in
            state.isEnded = true
            state.isReset = true
        }
    }

    /// What the reader can do now.
    var readerReadiness: Readiness {
        state.withLock { state in
            var readiness: Readiness = []
            if !state.bytes.isEmpty || state.isEnded { readiness.insert(.readable) }
            if state.isEnded { readiness.insert(.peerEnd) }
            if state.isReset { readiness.insert(.hangUp) }
            return readiness
        }
    }

    /// What the writer can do now.
    var writerReadiness: Readiness {
        state.withLock { state in
            if state.isAbandoned { return [.writable, .hangUp] }
            return state.bytes.byteCount < Self.capacity ? .writable : []
        }
    }
}

/// One end of a connection in memory, which tells a loop what it can do as a poller does:
/// level-triggered, from the loop's run phase.
final class MemoryEndpoint: Sendable {
    private struct State {
        var handler: (any ReadinessHandler)?
        var interest: Interest = []
        /// The loop has been asked to look.
        var isAsked = false
    }

    private let loop: EventLoop
    private let incoming: MemoryPipe
    private let outgoing: MemoryPipe
    private let state = Locked(State())
    /// The other end, until this one is closed.
    private let peer = Locked<MemoryEndpoint?>(nil)

    private init(_ loop: EventLoop, incoming: MemoryPipe, outgoing: MemoryPipe) {
        self.loop = loop
        self.incoming = incoming
        self.outgoing = outgoing
    }

    static func makePair(_ first: EventLoop, _ second: EventLoop) -> (
        MemoryEndpoint, MemoryEndpoint
    ) {
        let (there, back) = (MemoryPipe(), MemoryPipe())
        let one = MemoryEndpoint(first, incoming: back, outgoing: there)
        let other = MemoryEndpoint(second, incoming: there, outgoing: back)
        one.peer.withLock { $0 = other }
        other.peer.withLock { $0 = one }
        return (one, other)
    }

    func read(into pieces: UnsafeMutableBufferPointer<iovec>) -> IOResult {
        let result = incoming.read(into: pieces)
        askPeer()
        return result
    }

    func write(_ pieces: UnsafeMutableBufferPointer<iovec>) -> IOResult {
        let result = outgoing.write(pieces)
        askPeer()
        return result
    }

    func shutdown(_ direction: Socket.ShutdownDirection) {
        outgoing.end()
        if direction == .both { _ = incoming.abandon() }
        askPeer()
    }

    /// Gives everything up; what the peer had sent in vain resets it, as with a socket.
    func close(resets: Bool) {
        let hasUnread = incoming.abandon()
        if hasUnread || resets { outgoing.reset() } else { outgoing.end() }
        askPeer()
        peer.withLock { $0 = nil }
    }

    private func askPeer() { peer.withLock { $0 }?.ask() }
}

// MARK: - Readiness

extension MemoryEndpoint {
    /// Begins to tell a handler what can be done.
    ///
    /// Loop only, as the two below.
    func watch(_ interest: Interest, _ handler: any ReadinessHandler) {
        state.withLock { state in
            state.handler = handler
            state.interest = interest
        }
        ask()
    }

    func setInterest(_ interest: Interest) {
        state.withLock { $0.interest = interest }
        ask()
    }

    func endWatch() { state.withLock { $0.handler = nil } }

    /// Has the loop look in its next run phase.
    ///
    /// Any thread.
    private func ask() {
        let isFirst = state.withLock { state in
            guard state.handler != nil, !state.isAsked else { return false }
            state.isAsked = true
            return true
        }
        if isFirst { loop.execute { self.look() } }
    }

    private func look() {
        let (handler, interest) = state.withLock { state in
            state.isAsked = false
            return (state.handler, state.interest)
        }
        let ready = readiness(interest)
        guard let handler, !ready.isEmpty else { return }
        handler.handle(ready)
        let next = state.withLock { $0.interest }
        if !readiness(next).isEmpty { ask() }
    }

    private func readiness(_ interest: Interest) -> Readiness {
        var told: Readiness = .hangUp
        if interest.contains(.read) { told.formUnion([.readable, .peerEnd]) }
        if interest.contains(.peerEnd) { told.insert(.peerEnd) }
        if interest.contains(.write) { told.insert(.writable) }
        return incoming.readerReadiness.union(outgoing.writerReadiness).intersection(told)
    }
}
