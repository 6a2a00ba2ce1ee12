internal import Synchronization

/// A stream connection, TCP or Unix or in memory, owned by one event loop.
///
/// The loop reads; any thread may write. Writes on the loop's own thread leave together, what a
/// handler answers after its event and the rest at the end of the turn; on other threads the first
/// writer sends for all. Bytes come either to a
/// ``ConnectionHandler`` or, without one, to tasks that call ``read(upTo:deadline:)``.
///
/// ``isActive`` is one atomic load: the loop always watches the peer, so a connection whose peer
/// has closed turns inactive when that news arrives, without anybody asking.
public final class Connection: @unchecked Sendable {
    // @unchecked: what stands below `Confined to the loop` is touched by the loop's thread only;
    // `output` is guarded by its lock; the rest is constant or atomic.

    /// The life of a connection on its loop.
    enum Phase {
        case open
        /// No more writes; closes when what is queued has been sent and the peer has ended.
        case draining
        case closed
    }

    /// Who is on the other side: as the caller named it, or as the kernel told it, which is turned
    /// into text only when somebody asks.
    enum Peer {
        case dialed(SocketAddress)
        case accepted(RawAddress)
    }

    /// The loop that owns the connection.
    public let loop: EventLoop
    private let peer: Peer
    /// The options the connection was made with.
    public let options: ConnectionOptions

    let io: ConnectionIO
    let active = Atomic<Bool>(true)
    let output = Locked(OutputState())
    /// What `output` says of its mark; changed under its lock, and read without.
    let isOutputAboveMark = Atomic<Bool>(false)
    /// When a byte last came or went, in nanoseconds of uptime; kept only for an idle timeout.
    let lastActivity = Atomic<UInt64>(0)

    // Confined to the loop.
    private var socket: Socket?
    private var token: RegistrationToken?
    /// Whether the loop tells what happens to it.
    private(set) var isWatched = false
    var interest: Interest = []
    var phase = Phase.open
    var handler: (any ConnectionHandler)?
    /// Unchecked, because each byte that comes crosses eight accesses; no call that has it in hand
    /// calls code that could reach it again.
    @exclusivity(unchecked) var input = LinkBuffer()
    var inputHasEnded = false
    /// The peer's end was told, though bytes from before it may wait in the kernel.
    var peerHasEnded = false
    var isReadingPaused = false
    /// The write direction was ended after everything was sent.
    var outputHasEnded = false
    /// The peer is to know at once that nobody reads any more.
    var resetsOnClose = false
    /// This side closed; otherwise what was read before the end can still be taken.
    var isClosedLocally = false
    var isTouched = false
    var readSize: Int
    /// What the unread bytes count for in the group's budget.
    var chargedByteCount = 0
    var wantedInput = 0
    var readRequest: ReadRequest?
    /// Bytes that tasks have read.
    var readByteCount: UInt64 = 0
    var readTimer: TimerToken?
    var closeError: NetpollError?
    var inactiveCallbacks: [@Sendable () -> Void] = []
    var closeCallbacks: [@Sendable () -> Void] = []
    var drainTimer: TimerToken?
    var idleTimer: TimerToken?
    var stallTimer: TimerToken?

    /// Takes over a connected socket.
    ///
    /// Call ``start(_:)`` next, on the loop.
    init(
        _ socket: consuming Socket,
        loop: EventLoop,
        peer: Peer,
        options: ConnectionOptions
    ) {
        io = .socket(socket.fileDescriptor)
        self.socket = consume socket
        self.loop = loop
        self.peer = peer
        self.options = options
        readSize = max(1024, options.initialReadSize)
    }

    deinit {
        // Bytes that nobody has read count no more.
        _ = loop.inputBudget.charge(from: chargedByteCount, to: 0)
    }

    private init(_ endpoint: MemoryEndpoint, loop: EventLoop, options: ConnectionOptions) {
        io = .memory(endpoint)
        self.loop = loop
        peer = .dialed(.unix(path: ""))
        self.options = options
        readSize = max(1024, options.initialReadSize)
    }

    /// Two connections that are joined in memory, without a descriptor.
    ///
    /// Call ``begin(_:)`` on each.
    package static func makePair(
        _ first: EventLoop,
        _ second: EventLoop,
        _ options: (ConnectionOptions, ConnectionOptions)
    ) -> (Connection, Connection) {
        let (one, other) = MemoryEndpoint.makePair(first, second)
        return (
            Connection(one, loop: first, options: options.0),
            Connection(other, loop: second, options: options.1)
        )
    }

    /// Starts one of a pair, on its loop.
    ///
    /// - Parameter makeHandler: Called on the loop before the first byte is read.
    package func begin(_ makeHandler: (@Sendable (Connection) -> (any ConnectionHandler)?)?) {
        loop.perform { self.start(makeHandler?(self)) }
    }

    /// The address of the other side; `unix://` with an empty path for an unnamed Unix peer.
    public var peerAddress: SocketAddress {
        switch peer {
        case .dialed(let address): address
        case .accepted(let raw): raw.socketAddress
        }
    }

    /// Whether the connection can be used: neither side has closed it, or its own direction.
    ///
    /// One atomic load, any thread.
    public var isActive: Bool { active.load(ordering: .acquiring) }

    /// Registers with the loop.
    ///
    /// Loop only, once.
    func start(_ handler: (any ConnectionHandler)?) {
        loop.assertInside()
        self.handler = handler
        interest = [.read, .hangUp]
        do throws(NetpollError) {
            switch io {
            case .socket(let number): token = try loop.register(number, interest, self)
            case .memory(let endpoint):
                token = try loop.adopt(self)
                endpoint.watch(interest, self)
            }
            isWatched = true
        } catch {
            return finishClose(error)
        }
        noteActivity()
        watchIdleness()
    }

    /// Gives the connection a handler, and to it at once what has been read so far.
    ///
    /// Any thread.
    public func setHandler(_ handler: any ConnectionHandler) {
        loop.perform { self.begin(handler) }
    }

    private func begin(_ handler: any ConnectionHandler) {
        self.handler = handler
        guard phase != .closed else { return handler.connection(self, didCloseWith: closeError) }
        if !input.isEmpty { deliverInput() }
        if inputHasEnded, phase != .closed { handler.connectionDidReachEnd(self) }
    }

    /// Calls `body` on the loop once ``isActive`` has become false; at once if it already is.
    ///
    /// Any thread. The connection may still be open then, for instance after the peer's end, which
    /// leaves the other direction.
    public func onInactive(_ body: @escaping @Sendable () -> Void) {
        let accepted = loop.perform {
            if self.isActive { self.inactiveCallbacks.append(body) } else { body() }
        }
        if !accepted { body() }
    }

    /// Calls `body` on the loop once the connection is gone; at once if it already is.
    ///
    /// Any thread. Callbacks run in the order they were added, after the handler was told.
    public func onClose(_ body: @escaping @Sendable () -> Void) {
        let accepted = loop.perform {
            if self.phase == .closed { body() } else { self.closeCallbacks.append(body) }
        }
        if !accepted { body() }
    }

    /// The number of bytes that have come and were not read, by a task or by the handler.
    ///
    /// Any thread; asks the loop.
    public func bufferedByteCount() async -> Int { await inputCounts().unread }

    /// How many bytes have come and were not read, and how many tasks have read so far.
    struct InputCounts: Sendable {
        var unread = 0
        var read: UInt64 = 0
    }

    /// Any thread; asks the loop.
    func inputCounts() async -> InputCounts {
        let waiter = Waiter<InputCounts>()
        let accepted = loop.perform {
            let counts = InputCounts(unread: self.input.byteCount, read: self.readByteCount)
            waiter.finish(.success(counts))
        }
        guard accepted else { return InputCounts() }
        return (try? await waiter.wait(begin: {}, onCancel: {})) ?? InputCounts()
    }

    func updateInterest() {
        guard isWatched else { return }
        var wanted = Interest.hangUp
        if !inputHasEnded {
            // A peer's end that was told once would be told for ever while its bytes stay unread.
            if !isReadingPaused {
                wanted.insert(.read)
            } else if !peerHasEnded {
                wanted.insert(.peerEnd)
            }
        }
        if output.withLock({ $0.isBlocked }) { wanted.insert(.write) }
        guard wanted != interest else { return }
        interest = wanted
        if let token { loop.setInterest(wanted, of: token) }
        if case .memory(let endpoint) = io { endpoint.setInterest(wanted) }
    }

    /// Hears no more from the loop.
    func endWatch() {
        guard isWatched else { return }
        isWatched = false
        if let token { loop.deregister(token) }
        token = nil
        if case .memory(let endpoint) = io { endpoint.endWatch() }
    }

    func closeIO() {
        if resetsOnClose { socket?.resetOnClose() }
        socket = nil
        if case .memory(let endpoint) = io { endpoint.close(resets: resetsOnClose) }
    }
}

extension Connection: ReadinessHandler {
    func loopWillEnd() {
        isClosedLocally = true
        finishClose(NetpollError(.shutdown, "the event loop of \(peerAddress) ends"))
    }

    func handle(_ readiness: Readiness) {
        // What the handler answers leaves here, while it is in the processor's caches: at the end of
        // the turn, hundreds of connections may lie between.
        let flushesHere = !isTouched
        isTouched = true
        noteReadiness(readiness)
        guard flushesHere else { return }
        isTouched = false
        flushOutput()
    }

    private func noteReadiness(_ readiness: Readiness) {
        if readiness.contains(.writable) { outputBecameWritable() }
        guard phase != .closed else { return }
        if !isReadingPaused, !inputHasEnded {
            receive()
        } else if readiness.contains(.peerEnd), !inputHasEnded {
            // Reading is paused: the bytes stay in the kernel, but the peer will send no more.
            becomeInactive()
            peerHasEnded = true
            updateInterest()
        }
        guard phase != .closed, readiness.contains(.hangUp) else { return }
        let error = pendingError()
        if inputHasEnded || error != nil {
            finishClose(error)
        } else if isReadingPaused {
            // A hang-up cannot be masked and would wake the loop for ever, but bytes may wait in the
            // kernel: the socket is read again when reading resumes, without being watched.
            becomeInactive()
            endWatch()
        }
    }

    private func pendingError() -> NetpollError? {
        let number = socket?.pendingError() ?? 0
        return number == 0 ? nil : SystemError.make(number, "connection to \(peerAddress)")
    }
}
