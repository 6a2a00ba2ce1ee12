/// What a server does with its connections.
///
/// For each connection, in this order: ``onConnect`` once, ``onRequest`` each time that bytes wait
/// to be read, never two at a time, and ``onDisconnect`` once, after the connection is gone. When a
/// connection breaks or this side closes it, the task that runs ``onConnect`` or ``onRequest`` is
/// cancelled; a peer that ends only its own direction still gets its reply.
/// Admission comes before all that: ``ListenerOptions/admits``.
public struct ServerHandlers: Sendable {
    /// What a handler is: it runs on the connection's loop and may throw to close the connection.
    public typealias Handler = @Sendable (Connection) async throws -> Void

    /// Called before the first byte is read.
    public var onConnect: Handler?
    /// Called while bytes wait to be read.
    ///
    /// A call that reads nothing is repeated only when more bytes have come.
    public var onRequest: Handler
    /// Called when the connection is gone.
    public var onDisconnect: (@Sendable (Connection) -> Void)?

    /// Creates handlers.
    public init(
        onConnect: Handler? = nil,
        onDisconnect: (@Sendable (Connection) -> Void)? = nil,
        onRequest: @escaping Handler
    ) {
        self.onConnect = onConnect
        self.onRequest = onRequest
        self.onDisconnect = onDisconnect
    }
}

/// Serves byte streams: accepts connections and runs handlers for them until it is shut down.
///
/// A server is started once. A shutdown that comes before the start is kept: the server then never
/// starts. Any thread.
public final class Server: Sendable {
    private enum Phase {
        case new, running, ending
    }

    private struct State {
        var phase = Phase.new
        var listeners: [Listener] = []
        var sessions: [ObjectIdentifier: ServedConnection] = [:]
        var emptied: Waiter<Void>?
    }

    private let group: EventLoopGroup
    private let options: ListenerOptions
    private let handlers: ServerHandlers
    private let state = Locked(State())
    private let requested = Waiter<Void>()
    private let ended = Latch()

    /// Creates a server; nothing happens until it is started.
    public init(
        group: EventLoopGroup,
        options: ListenerOptions = ListenerOptions(),
        handlers: ServerHandlers
    ) {
        self.group = group
        self.options = options
        self.handlers = handlers
    }

    /// The number of open connections.
    public var connectionCount: Int { state.withLock { $0.sessions.count } }

    /// Starts to serve and returns at once.
    ///
    /// - Parameter addresses: Where to listen.
    /// - Returns: The addresses with the ports that were chosen.
    /// - Throws: ``NetpollError``: `shutdown` when the server was shut down or started before, else
    ///   as ``Listener/init(on:group:options:makeHandler:)``.
    @discardableResult
    public func start(on addresses: [SocketAddress]) throws(NetpollError) -> [SocketAddress] {
        let isFirst = state.withLock { state in
            guard state.phase == .new else { return false }
            state.phase = .running
            return true
        }
        guard isFirst else { throw NetpollError(.shutdown, "a server is started once") }
        var listeners: [Listener] = []
        do throws(NetpollError) {
            for address in addresses {
                let listener = try Listener(on: address, group: group, options: options) {
                    [weak self] connection in
                    self?.serve(connection)
                    return nil
                }
                listeners.append(listener)
            }
        } catch {
            for listener in listeners { listener.closeWithoutWaiting() }
            throw error
        }
        let isEnding = state.withLock { state in
            state.listeners = listeners
            return state.phase == .ending
        }
        // The shutdown came while the listeners were made and has not seen them.
        if isEnding { for listener in listeners { listener.closeWithoutWaiting() } }
        return listeners.map(\.localAddress)
    }

    /// Serves until the server is shut down or the task is cancelled, which shuts it down.
    ///
    /// - Parameters:
    ///   - addresses: Where to listen.
    ///   - drainTimeout: As in ``shutdown(within:)``, when the task is cancelled.
    /// - Throws: As ``start(on:)``; nothing when the server was shut down before.
    public func run(
        on addresses: [SocketAddress],
        drainTimeout: Duration = .seconds(5)
    ) async throws(NetpollError) {
        do throws(NetpollError) {
            try start(on: addresses)
        } catch {
            if requested.isFinished { return }
            throw error
        }
        try? await requested.wait(begin: {}, onCancel: { self.requested.finish(.success(())) })
        await shutdown(within: drainTimeout)
    }

    /// Stops accepting, closes idle connections, waits for the busy ones and then closes those too.
    ///
    /// Returns when every connection is gone; a second call waits for the first.
    ///
    /// - Parameter timeout: How long handlers may take; then their connections are aborted, which
    ///   cancels them. They get a second to notice; a handler that ignores it goes on by itself.
    public func shutdown(within timeout: Duration = .seconds(5)) async {
        let (before, listeners) = state.withLock { state in
            defer { state.phase = .ending }
            return (state.phase, state.listeners)
        }
        requested.finish(.success(()))
        guard before == .running else {
            if before == .new { ended.set() }
            await ended.wait()
            return
        }
        for listener in listeners { await listener.close() }
        for session in sessions { session.closeWhenIdle() }
        if await !isEmptied(until: group.deadline(after: timeout)) {
            let left = sessions
            for session in left { session.connection.abort() }
            for session in left { await session.waitUntilGone() }
            _ = await isEmptied(until: group.deadline(after: Self.cancellationGrace))
        }
        ended.set()
    }

    private static let cancellationGrace: Duration = .seconds(1)

    private var sessions: [ServedConnection] { state.withLock { Array($0.sessions.values) } }

    private func isEmptied(until deadline: Deadline) async -> Bool {
        let emptied = Waiter<Void>()
        let isEmpty = state.withLock { state in
            state.emptied = emptied
            return state.sessions.isEmpty
        }
        if isEmpty { return true }
        do throws(NetpollError) {
            try await emptied.wait(
                until: deadline,
                on: group.next(),
                late: .failure(NetpollError(.timedOut, "drain")),
                begin: {},
                onCancel: {}
            )
            return true
        } catch {
            return false
        }
    }

    /// Begins to serve an accepted connection.
    private func serve(_ connection: Connection) {
        let session = ServedConnection(connection, handlers)
        let isEnding = state.withLock { state in
            state.sessions[ObjectIdentifier(session)] = session
            return state.phase == .ending
        }
        session.begin { [weak self] in self?.remove(session) }
        // It was in the backlog: what it has sent is served, and then it is closed.
        if isEnding { session.closeWhenIdle() }
    }

    private func remove(_ session: ServedConnection) {
        let emptied = state.withLock { state -> Waiter<Void>? in
            state.sessions[ObjectIdentifier(session)] = nil
            return state.sessions.isEmpty ? state.emptied : nil
        }
        emptied?.finish(.success(()))
    }
}
