internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Makes client connections.
public struct Dialer: Sendable {
    /// The loops that get the connections.
    ///
    /// A dial made on one of them stays there.
    public let group: EventLoopGroup
    /// The options of the connections.
    public var options: ConnectionOptions
    /// How long resolving and connecting may take together.
    ///
    /// Default 1 s.
    public var connectTimeout: Duration

    /// What is told to the caller of a dial; called once, on any thread.
    public typealias Completion = @Sendable (Result<Connection, NetpollError>) -> Void

    /// Creates a dialer.
    public init(
        group: EventLoopGroup,
        options: ConnectionOptions = ConnectionOptions(),
        connectTimeout: Duration = .seconds(1)
    ) {
        self.group = group
        self.options = options
        self.connectTimeout = connectTimeout
    }

    /// Connects to an address, trying each address of a host name in turn.
    ///
    /// Any thread.
    ///
    /// - Parameters:
    ///   - address: Where to connect.
    ///   - makeHandler: Called on the connection's loop before its first byte is read; without one
    ///     the connection is read with ``Connection/read(upTo:deadline:)``.
    /// - Returns: The connection.
    /// - Throws: ``NetpollError``: `connectionRefused`, `timedOut`, `unreachable`,
    ///   `invalidAddress`, `cancelled` or `system`; the last address's failure counts.
    public func dial(
        _ address: SocketAddress,
        makeHandler: (@Sendable (Connection) -> any ConnectionHandler)? = nil
    ) async throws(NetpollError) -> Connection {
        let waiter = Waiter<Connection>()
        return try await waiter.wait {
            dial(address, makeHandler: makeHandler) { outcome in
                guard !waiter.finish(outcome), case .success(let late) = outcome else { return }
                late.abort()
            }
        } onCancel: {
            waiter.finish(.failure(NetpollError(.cancelled, "dial \(address)")))
        }
    }

    /// Connects to an address and calls `completion`; see ``dial(_:makeHandler:)``.
    public func dial(
        _ address: SocketAddress,
        makeHandler: (@Sendable (Connection) -> any ConnectionHandler)? = nil,
        completion: @escaping Completion
    ) {
        let attempt = DialAttempt(
            address: address,
            loop: group.preferred(),
            options: options,
            deadline: group.deadline(after: connectTimeout),
            makeHandler: makeHandler,
            completion: completion
        )
        attempt.begin()
    }
}

/// One dial: resolves, then connects to one address after the other until one answers.
private final class DialAttempt: ReadinessHandler, @unchecked Sendable {
    // @unchecked: the `var`s are touched on `loop` only.

    private let address: SocketAddress
    private let loop: EventLoop
    private let options: ConnectionOptions
    private let deadline: Deadline
    private let makeHandler: (@Sendable (Connection) -> any ConnectionHandler)?
    private let completion: Dialer.Completion

    private var remaining: [RawAddress] = []
    private var socket: Socket?
    private var token: RegistrationToken?
    private var timer: TimerToken?
    private var hasEnded = false

    init(
        address: SocketAddress,
        loop: EventLoop,
        options: ConnectionOptions,
        deadline: Deadline,
        makeHandler: (@Sendable (Connection) -> any ConnectionHandler)?,
        completion: @escaping Dialer.Completion
    ) {
        self.address = address
        self.loop = loop
        self.options = options
        self.deadline = deadline
        self.makeHandler = makeHandler
        self.completion = completion
    }

    func begin() {
        let accepted = loop.perform {
            self.timer = self.loop.schedule(at: self.deadline) {
                self.end(.failure(NetpollError(.timedOut, "dial \(self.address)")))
            }
            NameLookup.resolve(self.address) { found in
                self.loop.perform { self.resolved(found) }
            }
        }
        if !accepted {
            completion(.failure(NetpollError(.shutdown, "dial \(address): the group has ended")))
        }
    }

    private func resolved(_ found: Result<[RawAddress], NetpollError>) {
        guard !hasEnded else { return }
        switch found {
        case .success(let addresses):
            remaining = addresses.reversed()
            tryNext(after: NetpollError(.invalidAddress, "dial \(address): no address"))
        case .failure(let error):
            end(.failure(error))
        }
    }

    private func tryNext(after failure: NetpollError) {
        forgetSocket()
        guard let raw = remaining.popLast() else { return end(.failure(failure)) }
        do throws(NetpollError) {
            let new = try Socket.make(family: raw.family)
            let fileDescriptor = new.fileDescriptor
            let number = new.connect(raw, loop.faults)
            socket = consume new
            switch number {
            case nil: connected()
            case EINPROGRESS: token = try loop.register(fileDescriptor, .write, self)
            case .some(let number): throw SystemError.make(number, "dial \(address)")
            }
        } catch {
            tryNext(after: error)
        }
    }

    func handle(_ readiness: Readiness) {
        guard let number = socket?.pendingError() else { return }
        guard number == 0 else {
            return tryNext(after: SystemError.make(number, "dial \(address)"))
        }
        connected()
    }

    private func connected() {
        if let token { loop.deregister(token) }
        token = nil
        guard let connected = socket.take() else { return }
        if case .tcp = address {
            // A port that the kernel chose for us may be the very one we dial (simultaneous open).
            if connected.localAddress?.socketAddress == connected.peerAddress?.socketAddress {
                return tryNext(after: SystemError.make(ECONNREFUSED, "dial \(address)"))
            }
        }
        connected.configure(options, isTCP: !address.isUnix)
        let connection = Connection(connected, loop: loop, peer: .dialed(address), options: options)
        connection.start(makeHandler?(connection))
        end(.success(connection))
    }

    private func forgetSocket() {
        if let token { loop.deregister(token) }
        token = nil
        socket = nil
    }

    private func end(_ outcome: Result<Connection, NetpollError>) {
        guard !hasEnded else { return }
        hasEnded = true
        forgetSocket()
        if let timer { loop.cancel(timer) }
        completion(outcome)
    }
}
