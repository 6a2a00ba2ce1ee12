internal import Logging
public import NetpollCore
internal import Synchronization

/// Serves any number of services on any number of addresses.
///
/// Requests of one connection are served concurrently and answered as they finish. A server is
/// started once, by ``run(on:)`` or ``start(on:)``, and ends with ``shutdown()``.
public final class RPCServer: Sendable {
    private struct State {
        var phase = Phase.new
        var group: EventLoopGroup?
        var listeners: [Listener] = []
        var sessions: [ObjectIdentifier: ServerSession] = [:]
        /// Tells ``run(on:)`` that somebody wants the end.
        let requested = Waiter<Void>()
        /// Told when the last session is gone during shutdown.
        var emptied: Waiter<Void>?
        let ended = Waiter<Void>()
    }

    private enum Phase {
        case new, running, closing, ending
    }

    private let services: [any RPCService]
    private let interceptors: [any ServerInterceptor]
    private let options: RPCServerOptions
    private let givenGroup: EventLoopGroup?
    private let state = Locked(State())
    private let callCounter = CallCounter()

    /// Creates a server; nothing happens until it is started.
    ///
    /// - Parameters:
    ///   - services: What to serve. Two services need different names.
    ///   - interceptors: What runs around every handler, the outermost first.
    ///   - options: The server's bounds.
    ///   - group: The loops to use; by default the server has its own while it runs.
    public init(
        services: [any RPCService],
        interceptors: [any ServerInterceptor] = [],
        options: RPCServerOptions = RPCServerOptions(),
        group: EventLoopGroup? = nil
    ) {
        self.services = services
        self.interceptors = interceptors
        self.options = options
        givenGroup = group
    }

    /// Starts to serve and returns when the server has been shut down, or its task was cancelled
    /// and the calls in flight have ended.
    ///
    /// - Parameter addresses: Where to listen.
    /// - Throws: As ``start(on:)``; nothing when the server was shut down before.
    public func run(on addresses: SocketAddress...) async throws {
        let requested = state.withLock { $0.requested }
        if requested.isFinished { return }
        try start(on: addresses)
        // Fails never: cancellation is a request like any other.
        try? await requested.wait(begin: {}, onCancel: { requested.finish(.success(())) })
        await shutdown()
    }

    /// Starts to serve and returns at once.
    ///
    /// - Parameter addresses: Where to listen; TCP port 0 asks for any free port.
    /// - Returns: The addresses with the ports that were chosen.
    /// - Throws: `NetpollError` when an address cannot be used, ``RPCError`` when two services have
    ///   the same name or the server was started before.
    @discardableResult
    public func start(on addresses: [SocketAddress]) throws -> [SocketAddress] {
        let router = try Router(services, interceptors: interceptors)
        let isFirst = state.withLock { state in
            guard state.phase == .new else { return false }
            state.phase = .running
            return true
        }
        guard isFirst else { throw RPCError(.invalidArgument, "a server is started once") }
        let group = try givenGroup ?? EventLoopGroup()
        state.withLock { $0.group = group }
        let settings = ServerSettings(router: router, options: options, callCounter: callCounter)
        var listeners: [Listener] = []
        do {
            for address in addresses { listeners.append(try listen(on: address, group, settings)) }
        } catch {
            for listener in listeners { listener.closeWithoutWaiting() }
            if givenGroup == nil { group.shutdownWithoutWaiting() }
            throw error
        }
        state.withLock { $0.listeners = listeners }
        return listeners.map(\.localAddress)
    }

    private func listen(
        on address: SocketAddress,
        _ group: EventLoopGroup,
        _ settings: ServerSettings
    ) throws -> Listener {
        try Listener(on: address, group: group, options: options.listener) {
            [weak self] connection in
            let session = ServerSession(connection, settings: settings) { [weak self] in
                self?.remove($0)
            }
            guard let self, self.add(session) else {
                connection.close()
                return session
            }
            session.begin()
            return session
        }
    }

    /// Ends the server: stops accepting, answers the calls in flight, tells multiplexing clients,
    /// and closes.
    ///
    /// Calls that take longer than the drain timeout are cancelled.
    ///
    /// Returns when everything is closed; a second call waits for the first.
    public func shutdown() async {
        let (isFirst, group, listeners, waiters) = state.withLock { state in
            let isFirst = state.phase == .running
            if isFirst {
                state.phase = .closing
            } else if state.phase == .new {
                state.phase = .ending
            }
            return (
                isFirst, state.group, state.listeners,
                (requested: state.requested, ended: state.ended)
            )
        }
        waiters.requested.finish(.success(()))
        guard isFirst, let group else {
            // A server that never ran has nothing to wait for.
            if group != nil { try? await waiters.ended.wait(begin: {}, onCancel: {}) }
            return
        }
        // What the kernel has accepted already is taken and served like the rest.
        for listener in listeners { await listener.close() }
        let sessions = state.withLock { state in
            state.phase = .ending
            return Array(state.sessions.values)
        }
        for session in sessions { session.drain() }
        await waitUntilEmpty(group)
        if givenGroup == nil { await group.shutdown() }
        waiters.ended.finish(.success(()))
    }

    /// Waits for the last connection, pressing harder each time that it takes too long.
    private func waitUntilEmpty(_ group: EventLoopGroup) async {
        if await isEmptied(within: options.drainTimeout, group) { return }
        let late = state.withLock { Array($0.sessions.values) }
        options.logger.warning(
            "cancelling calls that outlast the drain timeout",
            metadata: ["connections": "\(late.count)", "timeout": "\(options.drainTimeout)"]
        )
        for session in late { session.cancelAll() }
        // The connections close in good order, which takes a peer that answers; others are cut off.
        if await isEmptied(within: Self.cancellationGrace, group) { return }
        for session in state.withLock({ Array($0.sessions.values) }) { session.connection.abort() }
        _ = await isEmptied(within: Self.cancellationGrace, group)
    }

    private static let cancellationGrace: Duration = .seconds(1)

    private func isEmptied(within timeout: Duration, _ group: EventLoopGroup) async -> Bool {
        let emptied = Waiter<Void>()
        let isEmpty = state.withLock { state in
            state.emptied = emptied
            return state.sessions.isEmpty
        }
        if isEmpty { return true }
        let late = NetpollError(.timedOut, "drain")
        do throws(NetpollError) {
            try await emptied.wait(
                until: group.deadline(after: timeout),
                on: group.next(),
                late: .failure(late),
                begin: {},
                onCancel: {}
            )
            return true
        } catch {
            return false
        }
    }

    /// The number of open connections.
    public var connectionCount: Int { state.withLock { $0.sessions.count } }

    /// The number of calls whose handlers have not returned.
    public var callCount: Int { callCounter.value.load(ordering: .relaxed) }

    private func add(_ session: ServerSession) -> Bool {
        state.withLock { state in
            guard state.phase == .running || state.phase == .closing else { return false }
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
