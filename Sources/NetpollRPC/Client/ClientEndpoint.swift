internal import NetpollCore

/// One address and the connections to it.
///
/// Any thread.
final class ClientEndpoint: Sendable {
    private enum Route: Sendable {
        case multiplexed(MultiplexedConnections)
        case pooled(ConnectionPool<ClientSession>)
    }

    let address: SocketAddress
    private let group: EventLoopGroup
    private let route: Route

    /// - Parameters:
    ///   - address: Where to connect.
    ///   - options: The client's.
    ///   - group: The loops of the connections.
    ///   - onDial: Told of the end of each dial: its failure, or `nil`.
    convenience init(
        _ address: SocketAddress,
        options: RPCClientOptions,
        group: EventLoopGroup,
        onDial: @escaping @Sendable (NetpollError?) -> Void
    ) {
        let dialer = Dialer(
            group: group,
            options: options.connection,
            connectTimeout: options.connectTimeout
        )
        self.init(address, options: options, group: group) { completion in
            dialer.dial(address) { outcome in
                // On the connection's loop, before it reads its first byte.
                let session = outcome.map { connection in
                    let session = ClientSession(connection, options: options)
                    connection.setHandler(session)
                    return session
                }
                if case .failure(let error) = outcome { onDial(error) } else { onDial(nil) }
                completion(session)
            }
        }
    }

    /// - Parameters:
    ///   - address: What the endpoint is called.
    ///   - options: The client's.
    ///   - group: The loops of the connections.
    ///   - dial: Makes a session.
    init(
        _ address: SocketAddress,
        options: RPCClientOptions,
        group: EventLoopGroup,
        dial: @escaping MultiplexedConnections.Dial
    ) {
        self.address = address
        self.group = group
        switch options.connections {
        case .multiplexed(let count):
            let now: @Sendable () -> Deadline = { group.now() }
            route = .multiplexed(
                MultiplexedConnections(
                    count: count,
                    backOff: options.dialBackOff,
                    waiterLimit: options.connectionWaiterLimit,
                    idleTimeout: options.idleTimeout,
                    now: now,
                    dial: dial
                )
            )
        case .pooled(let limit):
            var pool = PoolOptions()
            pool.connectionLimit = max(1, limit)
            pool.idleLimit = max(1, limit)
            pool.idleTimeout = options.idleTimeout
            pool.waiterLimit = options.connectionWaiterLimit
            pool.backOff = options.dialBackOff
            route = .pooled(ConnectionPool(group: group, options: pool, dial: dial))
        }
    }

    /// A session that takes a call, without waiting for one.
    var readySession: ClientSession? {
        switch route {
        case .multiplexed(let connections): connections.readySession()
        case .pooled(let pool): pool.checkOutIdle()
        }
    }

    /// A session that takes a call, connected first if it must be.
    func acquire(until deadline: Deadline) async throws(NetpollError) -> ClientSession {
        switch route {
        case .multiplexed(let connections):
            return try await connections.session(until: deadline, on: group.preferred())
        case .pooled(let pool):
            return try await pool.checkOut(deadline: deadline)
        }
    }

    /// Gives a session back after its call.
    func release(_ session: ClientSession) {
        if case .pooled(let pool) = route { pool.checkIn(session) }
    }

    /// Dials for nobody, to learn whether the address is alive.
    func probe() {
        switch route {
        case .multiplexed(let connections): connections.probe()
        case .pooled(let pool): pool.probe()
        }
    }

    /// Takes no new calls; connections close once their calls have ended.
    func close() {
        switch route {
        case .multiplexed(let connections): connections.close()
        case .pooled(let pool): pool.close()
        }
    }
}
