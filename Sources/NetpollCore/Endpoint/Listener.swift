internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// Accepts connections on a TCP port or a Unix socket and spreads them over a group's loops.
///
/// Running out of descriptors or memory neither stops it nor makes it spin: it pauses and tries
/// again after 10 ms, then twice as long, up to half a second.
public final class Listener: @unchecked Sendable {
    // @unchecked: what stands below `Confined to the loop` is touched by the loop's thread only.

    /// The address it listens on, with the port that the system chose when 0 was asked for.
    public let localAddress: SocketAddress

    private let group: EventLoopGroup
    private let loop: EventLoop
    private let options: ListenerOptions
    private let makeHandler: MakeHandler
    private let makeExcessHandler: MakeHandler?
    private let openConnections = Counter()
    private let excessConnections = Counter()
    private let socketFile: SocketFile?

    // Confined to the loop.
    private var socket: Socket?
    private var token: RegistrationToken?
    private var backOff: Duration = .zero

    /// Makes what handles a connection, on the connection's loop before its first byte is read.
    package typealias MakeHandler = @Sendable (Connection) -> (any ConnectionHandler)?

    /// A number of connections.
    private final class Counter: Sendable {
        let value = Atomic<Int>(0)

        /// Counts one more, unless there are `limit` already.
        func take(_ limit: Int) -> Bool {
            guard value.wrappingAdd(1, ordering: .relaxed).newValue > limit else { return true }
            giveBack()
            return false
        }

        func giveBack() { value.wrappingSubtract(1, ordering: .relaxed) }
    }

    /// At most so many connections beyond the limit are open at a time, to be told that they are.
    private static let excessLimit = 64

    /// At most so many connections are accepted before other descriptors get their turn.
    private static let acceptBatchLimit = 64
    /// Errors of accept(2) that belong to one connection, which is gone already.
    private static let lostConnectionErrors: Set<Int32> = [
        ECONNABORTED, EINTR, EPERM, EPROTO, ENETDOWN, EHOSTUNREACH,
    ]

    /// Binds, listens and begins to accept.
    ///
    /// Blocks while a host name is resolved, and takes the first of its addresses.
    /// A Unix socket file that nobody listens on any more is replaced, by one listener if several
    /// start at once; the file is removed when the listener closes.
    ///
    /// - Parameters:
    ///   - address: Where to listen; TCP port 0 asks for any free port.
    ///   - group: The loops that get the accepted connections in turn.
    ///   - options: Limits and the options of the connections.
    ///   - makeHandler: Called on a connection's loop before its first byte is read; returns what
    ///     handles the connection, or `nil` to read it with ``Connection/read(upTo:deadline:)``.
    /// - Throws: ``NetpollError``: `addressInUse`, `invalidAddress` or `system`.
    public convenience init(
        on address: SocketAddress,
        group: EventLoopGroup,
        options: ListenerOptions = ListenerOptions(),
        makeHandler: @escaping @Sendable (Connection) -> (any ConnectionHandler)?
    ) throws(NetpollError) {
        try self.init(
            on: address,
            group: group,
            options: options,
            makeHandler: makeHandler,
            makeExcessHandler: nil
        )
    }

    /// As ``init(on:group:options:makeHandler:)``, with a handler for up to 64 connections at a time
    /// that are beyond the limit.
    package init(
        on address: SocketAddress,
        group: EventLoopGroup,
        options: ListenerOptions,
        makeHandler: @escaping MakeHandler,
        makeExcessHandler: MakeHandler?
    ) throws(NetpollError) {
        let raw = try RawAddress.resolve(address, passive: true)[0]
        let socket = try SocketFile.whileFolderIsLocked(of: address) {
            (mayReplace) throws(NetpollError) in
            let socket = try Self.bind(address, raw, options, mayReplace: mayReplace)
            try socket.listen(backlog: Int32(clamping: options.backlog))
            return socket
        }
        localAddress = socket.localAddress?.socketAddress ?? address
        socketFile = SocketFile(address)
        self.socket = consume socket
        self.group = group
        self.options = options
        self.makeHandler = makeHandler
        self.makeExcessHandler = makeExcessHandler
        loop = group.next()
        let accepted = loop.perform { self.start() }
        guard accepted else {
            socketFile?.remove()
            throw NetpollError(.shutdown, "listen on \(address): the group has ended")
        }
    }

    private static func bind(
        _ address: SocketAddress,
        _ raw: RawAddress,
        _ options: ListenerOptions,
        mayReplace: Bool
    ) throws(NetpollError) -> Socket {
        let socket = try Socket.make(family: raw.family)
        if raw.family != AF_UNIX {
            try socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1)
            if options.reusesPort { try socket.setOption(SOL_SOCKET, SO_REUSEPORT, 1) }
        }
        if raw.family == AF_INET6, let only = options.acceptsIPv6Only {
            try socket.setOption(Int32(IPPROTO_IPV6), IPV6_V6ONLY, only ? 1 : 0)
        }
        guard var number = socket.bind(raw) else { return socket }
        if number == EADDRINUSE, mayReplace, try SocketFile.removeIfStale(address, raw) {
            guard let second = socket.bind(raw) else { return socket }
            number = second
        }
        // Nobody refused anything: the folder of a socket file is missing.
        if number == ENOENT {
            throw NetpollError(.invalidAddress, "bind \(address)", errorNumber: number)
        }
        throw SystemError.make(number, "bind \(address)")
    }

    /// The number of open connections that this listener accepted.
    ///
    /// Any thread.
    public var connectionCount: Int { openConnections.value.load(ordering: .relaxed) }

    /// Takes the connections that the kernel has accepted already, stops accepting and returns once
    /// the socket is closed.
    ///
    /// Accepted connections stay open.
    public func close() async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            let accepted = loop.perform {
                self.closeSocket()
                continuation.resume()
            }
            if !accepted { continuation.resume() }
        }
        // What was accepted last may still be on its way to another loop.
        for loop in group.loops {
            let begun = Waiter<Void>()
            if loop.execute({ begun.finish(.success(())) }) {
                try? await begun.wait(begin: {}, onCancel: {})
            }
        }
    }

    /// As ``close()``, without waiting.
    package func closeWithoutWaiting() { loop.perform { self.closeSocket() } }

    private func closeSocket() {
        // Peers in the backlog believe that they are connected: to close on them would reset them.
        // Those that come meanwhile are no reason to go on for ever.
        for _ in 0...max(0, options.backlog) / Self.acceptBatchLimit {
            guard acceptBatch() != .drained else { break }
        }
        releaseSocket()
    }

    private func releaseSocket() {
        if let token { loop.deregister(token) }
        token = nil
        guard socket != nil else { return }
        // First the file: while the socket is open, no other file can have its number.
        socketFile?.remove()
        socket = nil
    }

    private func start() {
        guard let fileDescriptor = socket?.fileDescriptor else { return }
        // Fails only when the kernel has no memory for the registration: try again like accept.
        do throws(NetpollError) {
            token = try loop.register(fileDescriptor, .read, self)
        } catch {
            retryLater()
        }
    }

    private func retryLater() {
        backOff = backOff == .zero ? .milliseconds(10) : min(backOff * 2, .milliseconds(500))
        if let token { loop.setInterest([], of: token) }
        _ = loop.schedule(at: loop.deadline(after: backOff)) { [weak self] in
            guard let self, self.socket != nil else { return }
            if let token = self.token {
                self.loop.setInterest(.read, of: token)
            } else {
                self.start()
            }
        }
    }
}

extension Listener: ReadinessHandler {
    func loopWillEnd() { releaseSocket() }

    func handle(_ readiness: Readiness) {
        if acceptBatch() == .failed { retryLater() }
    }

    /// What is left after a batch of accepted connections.
    private enum Backlog {
        case drained, more, failed
    }

    private func acceptBatch() -> Backlog {
        var lostCount = 0
        for _ in 0..<Self.acceptBatchLimit {
            guard let result = socket?.accept(loop.faults) else { return .drained }
            switch result {
            case .accepted(let fileDescriptor, let peer):
                backOff = .zero
                adopt(fileDescriptor, peer)
            case .wouldBlock:
                return .drained
            case .failed(let number):
                guard Self.lostConnectionErrors.contains(number) else { return .failed }
                lostCount += 1
            }
        }
        // Nothing but such errors is no accident, and may go on: a rule against all, for instance.
        return lostCount < Self.acceptBatchLimit ? .more : .failed
    }

    private func adopt(_ fileDescriptor: Int32, _ peer: RawAddress) {
        if let admits = options.admits, !admits(peer.socketAddress) {
            _ = Socket(adopting: fileDescriptor)
            return
        }
        let target = group.next()
        let accepted: Bool
        if openConnections.take(options.connectionLimit) {
            accepted = target.expect {
                self.begin(fileDescriptor, peer, on: target, self.openConnections, self.makeHandler)
            }
        } else if let makeExcessHandler, excessConnections.take(Self.excessLimit) {
            accepted = target.expect {
                self.begin(
                    fileDescriptor,
                    peer,
                    on: target,
                    self.excessConnections,
                    makeExcessHandler
                )
            }
        } else {
            accepted = false
        }
        if !accepted { _ = Socket(adopting: fileDescriptor) }
    }

    private func begin(
        _ fileDescriptor: Int32,
        _ peer: RawAddress,
        on target: EventLoop,
        _ counter: Counter,
        _ makeHandler: MakeHandler
    ) {
        let socket = Socket(adopting: fileDescriptor)
        socket.configure(options.connection, isTCP: peer.family != AF_UNIX)
        let connection = Connection(
            socket,
            loop: target,
            peer: .accepted(peer),
            options: options.connection
        )
        connection.onClose { counter.giveBack() }
        connection.start(makeHandler(connection))
    }
}
