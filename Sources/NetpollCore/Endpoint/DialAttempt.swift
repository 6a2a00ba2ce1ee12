#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// One dial: resolves a name and lets its addresses race until one answers.
final class DialAttempt: @unchecked Sendable {
    // @unchecked: the `var`s are touched on `loop` only.

    private let address: SocketAddress
    private let loop: EventLoop
    private let names: NameLookup
    private let options: ConnectionOptions
    private let deadline: Deadline
    private let makeHandler: (@Sendable (Connection) -> any ConnectionHandler)?
    private let completion: Dialer.Completion

    private var addresses: [RawAddress] = []
    private var race = AddressRace(families: [])
    private var attempts: [ConnectAttempt] = []
    private var timer: TimerToken?
    private var delayTimer: TimerToken?
    private var hasEnded = false

    init(
        address: SocketAddress,
        loop: EventLoop,
        names: NameLookup,
        options: ConnectionOptions,
        deadline: Deadline,
        makeHandler: (@Sendable (Connection) -> any ConnectionHandler)?,
        completion: @escaping Dialer.Completion
    ) {
        self.address = address
        self.loop = loop
        self.names = names
        self.options = options
        self.deadline = deadline
        self.makeHandler = makeHandler
        self.completion = completion
    }

    func begin() {
        let accepted = loop.perform {
            self.timer = self.loop.schedule(
                at: self.deadline,
                { self.end(.failure(NetpollError(.timedOut, "dial \(self.address)"))) },
                atEnd: { self.end(.failure(self.groupHasEnded)) }
            )
            self.names.resolve(self.address) { found in
                self.loop.perform { self.resolved(found) }
            }
        }
        if !accepted {
            completion(.failure(groupHasEnded))
        }
    }

    private var groupHasEnded: NetpollError {
        NetpollError(.shutdown, "dial \(address): the group has ended")
    }

    private func resolved(_ found: Result<[RawAddress], NetpollError>) {
        guard !hasEnded else { return }
        switch found {
        case .success(let addresses):
            self.addresses = addresses
            race = AddressRace(families: addresses.map(\.family))
            perform(race.next(), NetpollError(.invalidAddress, "dial \(address): no address"))
        case .failure(let error):
            end(.failure(error))
        }
    }

    private func perform(_ action: AddressRace.Action, _ lastFailure: NetpollError) {
        if let delayTimer { loop.cancel(delayTimer) }
        delayTimer = nil
        switch action {
        case .wait: break
        case .giveUp: end(.failure(lastFailure))
        case .connect(let index):
            if race.hasNext {
                let end = loop.deadline(after: AddressRace.attemptDelay)
                delayTimer = loop.schedule(at: end) { [weak self] in
                    guard let self, !self.hasEnded else { return }
                    self.delayTimer = nil
                    self.perform(self.race.next(), lastFailure)
                }
            }
            let attempt = ConnectAttempt(addresses[index], loop: loop) { [weak self] in
                self?.finished($0, $1)
            }
            attempts.append(attempt)
            attempt.begin()
        }
    }

    private func finished(_ attempt: ConnectAttempt, _ failure: Int32?) {
        guard !hasEnded else { return }
        if let failure {
            attempts.removeAll { $0 === attempt }
            return perform(race.failed(), SystemError.make(failure, "dial \(address)"))
        }
        guard let connected = attempt.takeSocket() else { return }
        connected.configure(options, isTCP: !address.isUnix)
        let connection = Connection(connected, loop: loop, peer: .dialed(address), options: options)
        connection.start(makeHandler?(connection))
        end(.success(connection))
    }

    private func end(_ outcome: Result<Connection, NetpollError>) {
        guard !hasEnded else { return }
        hasEnded = true
        for attempt in attempts { attempt.cancel() }
        attempts = []
        for token in [timer, delayTimer].compactMap({ $0 }) { loop.cancel(token) }
        completion(outcome)
    }
}

/// One connect(2) to one address.
///
/// Confined to its loop.
final class ConnectAttempt: ReadinessHandler, @unchecked Sendable {
    // @unchecked: the `var`s are touched on `loop` only.

    /// Told once: `nil` when the socket is connected, else the `errno`.
    typealias Completion = (ConnectAttempt, Int32?) -> Void

    private let address: RawAddress
    private let loop: EventLoop
    private let completion: Completion
    private var socket: Socket?
    private var token: RegistrationToken?
    private var retryTimer: TimerToken?
    private var retryDelay: Duration = .milliseconds(1)

    init(_ address: RawAddress, loop: EventLoop, completion: @escaping Completion) {
        self.address = address
        self.loop = loop
        self.completion = completion
    }

    func begin() {
        do throws(NetpollError) {
            let new = try Socket.make(family: address.family)
            let fileDescriptor = new.fileDescriptor
            let number = new.connect(address, loop.faults)
            socket = consume new
            switch number {
            case nil: completed()
            case EINPROGRESS, EINTR: token = try loop.register(fileDescriptor, .write, self)
            case EAGAIN where address.family == AF_UNIX: retryLater()
            case .some(let number): fail(number)
            }
        } catch {
            fail(error.errorNumber ?? EIO)
        }
    }

    /// A Unix listener whose backlog is full says so at once (unix(7)); a TCP one keeps us waiting.
    private func retryLater() {
        socket = nil
        retryTimer = loop.schedule(at: loop.deadline(after: retryDelay)) { [weak self] in
            self?.retryTimer = nil
            self?.begin()
        }
        retryDelay = min(retryDelay * 2, .milliseconds(50))
    }

    func loopWillEnd() { fail(ECANCELED) }

    func handle(_ readiness: Readiness) {
        guard let number = socket?.pendingError() else { return }
        if number == 0 { completed() } else { fail(number) }
    }

    private func completed() {
        deregister()
        // A port that the kernel chose for us may be the very one we dial (simultaneous open).
        let isItself =
            address.family != AF_UNIX
            && socket?.localAddress?.socketAddress == socket?.peerAddress?.socketAddress
        if isItself { fail(ECONNREFUSED) } else { completion(self, nil) }
    }

    private func fail(_ number: Int32) {
        deregister()
        socket = nil
        completion(self, number)
    }

    private func deregister() {
        if let token { loop.deregister(token) }
        token = nil
    }

    /// The connected socket.
    func takeSocket() -> Socket? { socket.take() }

    func cancel() {
        deregister()
        socket = nil
        if let retryTimer { loop.cancel(retryTimer) }
        retryTimer = nil
    }
}
