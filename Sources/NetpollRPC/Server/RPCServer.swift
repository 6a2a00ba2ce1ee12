internal import Logging
public import NetpollCore

/// Serves any number of services on any number of addresses.
///
/// Requests of one connection are served concurrently and answered as they finish. A server is
/// started once, by ``run(on:)-(SocketAddress...)`` or ``start(on:)``, and ends with
/// ``shutdown()``, which answers the calls in flight. Any thread.
public final class RPCServer: Sendable {
    struct State {
        var phase = Phase.new
        var group: EventLoopGroup?
        var settings: ServerSettings?
        var listeners: [Listener] = []
        var sessions: [ObjectIdentifier: ServerSession] = [:]
        /// Tells `run(on:)` that somebody wants the end.
        let requested = Waiter<Void>()
        /// Told when the last session is gone during shutdown.
        var emptied: Waiter<Void>?
        var isForced = false
    }

    enum Phase {
        case new, starting, running, closing, ending
    }

    /// Where the server listens when nobody says otherwise.
    public let addresses: [SocketAddress]
    private let services: [any RPCService]
    private let interceptors: [any ServerInterceptor]
    let options: RPCServerOptions
    let givenGroup: EventLoopGroup?
    let state = Locked(State())
    /// Whether the start has succeeded, failed or found that it came too late.
    let started = Latch()
    /// Whether everything is closed.
    let ended = Latch()
    private let limits: ServerLimits

    /// Creates a server; nothing happens until it is started.
    ///
    /// - Parameters:
    ///   - services: What to serve. Two services need different names.
    ///   - addresses: Where to listen, TCP and Unix in any number, when
    ///     ``run(on:)-(SocketAddress...)`` is not told.
    ///   - interceptors: What runs around every handler, the outermost first.
    ///   - options: The server's bounds.
    ///   - group: The loops to use; by default the server has its own while it runs.
    public init(
        services: [any RPCService],
        addresses: [SocketAddress] = [],
        interceptors: [any ServerInterceptor] = [],
        options: RPCServerOptions = RPCServerOptions(),
        group: EventLoopGroup? = nil
    ) {
        self.services = services
        self.addresses = addresses
        self.interceptors = interceptors
        self.options = options
        givenGroup = group
        limits = ServerLimits(options)
    }

    /// Starts to serve and returns when the server has been shut down, or its task was cancelled
    /// and the calls in flight have ended.
    ///
    /// Cancelling the task of a server that drains already cancels the calls in flight too.
    ///
    /// - Parameter addresses: Where to listen; by default the server's ``addresses``.
    /// - Throws: As ``start(on:)``, and ``RPCError`` when there is no address; nothing when the server
    ///   was shut down before.
    public func run(on addresses: SocketAddress...) async throws {
        try await run(on: addresses.isEmpty ? self.addresses : addresses)
    }

    /// As `run(on:)` with each address by itself.
    ///
    /// - Parameters:
    ///   - addresses: Where to listen, at least one.
    ///   - whenReady: Called once the server listens, with the addresses and the ports that were
    ///     chosen.
    /// - Throws: As ``start(on:)``, and ``RPCError`` when there is no address; nothing when the server
    ///   was shut down before.
    public func run(
        on addresses: [SocketAddress],
        whenReady: ([SocketAddress]) -> Void = { _ in }
    ) async throws {
        let requested = state.withLock { $0.requested }
        if requested.isFinished { return }
        guard !addresses.isEmpty else {
            throw RPCError(.invalidArgument, "the server has no address to listen on")
        }
        guard let bound = try open(addresses) else { return await ended.wait() }
        whenReady(bound)
        // Fails never: cancellation is a request like any other.
        try? await requested.wait(begin: {}, onCancel: { requested.finish(.success(())) })
        if Task.isCancelled { return await shutdown() }
        await withTaskCancellationHandler {
            await shutdown()
        } onCancel: {
            if !ended.isSet { self.cancelCalls() }
        }
    }

    /// Starts to serve and returns at once.
    ///
    /// - Parameter addresses: Where to listen; TCP port 0 asks for any free port.
    /// - Returns: The addresses with the ports that were chosen.
    /// - Throws: `NetpollError` when an address cannot be used, ``RPCError`` when two services have
    ///   the same name, the options name a method that is not there, the server was started
    ///   before, or it was shut down, before or meanwhile.
    @discardableResult
    public func start(on addresses: [SocketAddress]) throws -> [SocketAddress] {
        guard let bound = try open(addresses) else {
            throw RPCError(.invalidArgument, "the server was shut down")
        }
        return bound
    }

    /// As ``start(on:)``; `nil` when the server was shut down, before or meanwhile.
    private func open(_ addresses: [SocketAddress]) throws -> [SocketAddress]? {
        let router = try Router(
            services,
            interceptors: interceptors,
            execution: ExecutionTable(options)
        )
        let (phase, isShutDown) = state.withLock { state in
            defer { if state.phase == .new { state.phase = .starting } }
            return (state.phase, state.requested.isFinished)
        }
        guard phase == .new else {
            if isShutDown { return nil }
            throw RPCError(.invalidArgument, "a server is started once")
        }
        defer { started.set() }
        do {
            let group = try givenGroup ?? EventLoopGroup()
            let settings = ServerSettings(
                router: router,
                options: options,
                limits: limits,
                interceptors: interceptors,
                group: group
            )
            for observer in observers { observer.serverWillStart(router.served) }
            return try listen(on: addresses, group, settings)
        } catch {
            endFailedStart()
            throw error
        }
    }

    private func listen(
        on addresses: [SocketAddress],
        _ group: EventLoopGroup,
        _ settings: ServerSettings
    ) throws -> [SocketAddress]? {
        var listeners: [Listener] = []
        do {
            for address in addresses { listeners.append(try listen(on: address, group, settings)) }
        } catch {
            for listener in listeners { listener.closeWithoutWaiting() }
            if givenGroup == nil { group.shutdownWithoutWaiting() }
            throw error
        }
        let isRunning = state.withLock { state in
            state.group = group
            state.settings = settings
            state.listeners = listeners
            // A shutdown that came meanwhile waits to close all this.
            guard state.phase == .starting else { return false }
            state.phase = .running
            return true
        }
        return isRunning ? listeners.map(\.localAddress) : nil
    }

    /// Leaves nothing behind of a start that has failed.
    private func endFailedStart() {
        let sessions = state.withLock { state in
            state.phase = .ending
            return Array(state.sessions.values)
        }
        for session in sessions { session.connection.abort() }
        ended.set()
    }

    private func listen(
        on address: SocketAddress,
        _ group: EventLoopGroup,
        _ settings: ServerSettings
    ) throws -> Listener {
        try Listener(
            on: address,
            group: group,
            options: options.listener,
            makeHandler: { [weak self] in Self.makeSession(of: self, $0, settings) },
            makeExcessHandler: { [weak self] in
                Self.makeSession(of: self, $0, settings, isExcess: true)
            }
        )
    }

    private static func makeSession(
        of server: RPCServer?,
        _ connection: Connection,
        _ settings: ServerSettings,
        isExcess: Bool = false
    ) -> ServerSession {
        let session = ServerSession(connection, settings: settings, isExcess: isExcess) {
            [weak server] in server?.remove($0)
        }
        guard let server, server.add(session) else {
            connection.close()
            return session
        }
        session.begin()
        return session
    }

    /// Whether the server was neither started nor shut down.
    var isNew: Bool { state.withLock { $0.phase == .new } }

    /// The loops that serve, while the server runs.
    var runningGroup: EventLoopGroup? {
        state.withLock { $0.phase == .running ? $0.group : nil }
    }

    /// Makes a connection in memory whose far end the server serves like any other.
    ///
    /// - Parameter options: The options of the near end.
    /// - Returns: The near end; call `begin` on it.
    /// - Throws: `shutdown` when the server does not run.
    func connectInProcess(_ options: ConnectionOptions) throws(NetpollError) -> Connection {
        let (group, settings) = state.withLock { state in
            state.phase == .running ? (state.group, state.settings) : (nil, nil)
        }
        guard let group, let settings else {
            throw NetpollError(.shutdown, "the server does not run")
        }
        let (near, far) = Connection.makePair(
            group.preferred(),
            group.next(),
            (options, self.options.listener.connection)
        )
        far.begin { [weak self] in Self.makeSession(of: self, $0, settings) }
        return near
    }

    var observers: [any ServerObserver] { services.compactMap { $0 as? any ServerObserver } }

    /// Where the server listens, with the ports that the system chose; empty until it was started.
    public var localAddresses: [SocketAddress] {
        state.withLock { $0.listeners.map(\.localAddress) }
    }

    /// The number of open connections.
    public var connectionCount: Int { state.withLock { $0.sessions.count } }

    /// The number of calls that were admitted and whose handlers have not returned.
    public var callCount: Int { limits.inFlightCount }

    private func add(_ session: ServerSession) -> Bool {
        state.withLock { state in
            guard state.phase != .ending else { return false }
            state.sessions[ObjectIdentifier(session)] = session
            return true
        }
    }

    private func remove(_ session: ServerSession) {
        let emptied = state.withLock { state -> Waiter<Void>? in
            state.sessions[ObjectIdentifier(session)] = nil
            return state.phase == .ending && state.sessions.isEmpty ? state.emptied : nil
        }
        emptied?.finish(.success(()))
    }
}
