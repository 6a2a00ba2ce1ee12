public import NetpollCore
public import NetpollProtobuf

/// Calls methods of the services at one address.
///
/// Any thread, any number of calls at a time.
///
/// Connections are made when they are needed and made again when they were lost. A call ends by
/// exactly one of: its reply, its deadline, cancellation of its task, or the loss of its
/// connection; a call of which nothing was sent yet is sent once more, unseen by the caller.
public final class RPCClient: Sendable {
    private enum Route: Sendable {
        case multiplexed(MultiplexedConnections)
        case pooled(ConnectionPool<ClientSession>)
    }

    /// Where the client connects.
    public let address: SocketAddress
    /// The options the client was made with.
    public let options: RPCClientOptions

    private let group: EventLoopGroup
    private let ownsGroup: Bool
    private let route: Route
    /// The header pairs that say who calls.
    private let caller: [UInt8]

    /// One counter for the process, as Kitex has it, so that no reply can ever match a call of
    /// another connection by chance.
    private static let sequenceIDs = SequenceIDs()

    /// Creates a client.
    ///
    /// Nothing is dialled yet.
    ///
    /// - Parameters:
    ///   - address: Where the server listens.
    ///   - options: Connections, timeouts and limits.
    ///   - group: The loops to use; by default the client has its own, which end with it.
    /// - Throws: `NetpollError` when loops cannot be started.
    public init(
        to address: SocketAddress,
        options: RPCClientOptions = RPCClientOptions(),
        group: EventLoopGroup? = nil
    ) throws {
        let loops = try group ?? EventLoopGroup()
        self.address = address
        self.options = options
        self.group = loops
        ownsGroup = group == nil
        route = Self.makeRoute(options, loops, Self.makeDial(address, options, loops))
        caller = HeaderTemplate.caller(options.serviceName)
    }

    /// Creates a client that connects in another way.
    ///
    /// - Parameters:
    ///   - address: What the client calls the other side.
    ///   - options: Connections, timeouts and limits.
    ///   - group: The loops to use.
    ///   - dial: Makes a session.
    init(
        address: SocketAddress,
        options: RPCClientOptions,
        group: EventLoopGroup,
        dial: @escaping MultiplexedConnections.Dial
    ) {
        self.address = address
        self.options = options
        self.group = group
        ownsGroup = false
        route = Self.makeRoute(options, group, dial)
        caller = HeaderTemplate.caller(options.serviceName)
    }

    deinit {
        closeConnections()
        if ownsGroup { group.shutdownWithoutWaiting() }
    }

    private static func makeDial(
        _ address: SocketAddress,
        _ options: RPCClientOptions,
        _ group: EventLoopGroup
    ) -> MultiplexedConnections.Dial {
        let dialer = Dialer(
            group: group,
            options: options.connection,
            connectTimeout: options.connectTimeout
        )
        return { completion in
            dialer.dial(address) { outcome in
                // On the connection's loop, before it reads its first byte.
                completion(
                    outcome.map { connection in
                        let session = ClientSession(connection, options: options)
                        connection.setHandler(session)
                        return session
                    }
                )
            }
        }
    }

    private static func makeRoute(
        _ options: RPCClientOptions,
        _ group: EventLoopGroup,
        _ dial: @escaping MultiplexedConnections.Dial
    ) -> Route {
        switch options.connections {
        case .multiplexed(let count):
            return .multiplexed(MultiplexedConnections(count: count, dial: dial))
        case .pooled(let limit):
            var pool = PoolOptions()
            pool.connectionLimit = max(1, limit)
            pool.idleLimit = max(1, limit)
            pool.idleTimeout = options.idleTimeout
            return .pooled(ConnectionPool(group: group, options: pool, dial: dial))
        }
    }
}

// MARK: - Calls

extension RPCClient {
    /// Calls a method and waits for its reply.
    ///
    /// Generated clients call this.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - request: The request message.
    ///   - timeout: How long to wait, connecting included; by default `options.timeout`, else the
    ///     client's. Zero or less fails at once.
    ///   - options: Metadata and more.
    /// - Returns: The reply message.
    /// - Throws: ``RPCError`` when the call failed, ``BusinessError`` when the application said no.
    public func call<Request: Message, Response: Message>(
        _ method: MethodDescriptor,
        _ request: Request,
        timeout: Duration? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> Response {
        let allowed = timeout ?? options.timeout ?? self.options.timeout
        guard allowed > .zero else {
            throw RPCError(.deadlineExceeded, "\(method.fullName): the timeout is \(allowed)")
        }
        let deadline = group.deadline(after: allowed)
        let reply = try await exchange(method, request, deadline, allowed, options)
        return try Self.decode(reply, method)
    }

    /// Ends the client: no new calls, connections close once their calls have ended, and the
    /// client's own loops end after that, within the connections' drain timeout.
    public func close() { closeConnections() }

    private func closeConnections() {
        switch route {
        case .multiplexed(let connections): connections.close()
        case .pooled(let pool): pool.close()
        }
    }

    /// Sends a request and waits, once more on another connection if nothing of it was sent.
    private func exchange<Request: Message>(
        _ method: MethodDescriptor,
        _ request: Request,
        _ deadline: Deadline,
        _ allowed: Duration,
        _ options: CallOptions
    ) async throws -> Reply {
        for _ in 0..<Self.attemptLimit {
            let session = try await acquire(deadline, allowed, method)
            let head = makeHead(method, deadline, options)
            let outcome = await session.call(
                head,
                request,
                deadline: deadline,
                limits: self.options.limits
            )
            release(session)
            switch outcome {
            case .success(let reply)
            where reply.message.type == .exception && group.now() >= deadline:
                // The server gave up at the caller's deadline and its word came before our timer.
                let error = RPCError(.deadlineExceeded, "no reply from \(address) in time")
                throw Self.describe(error, method, allowed)
            case .success(let reply): return reply
            case .failure(.notSent): continue
            case .failure(.failed(let error)): throw Self.describe(error, method, allowed)
            }
        }
        throw RPCError(
            .unavailable,
            "\(method.fullName): connections to \(address) close before a call is sent"
        )
    }

    private static let attemptLimit = 3

    private static func describe(
        _ error: RPCError,
        _ method: MethodDescriptor,
        _ allowed: Duration
    ) -> RPCError {
        let limit = error.code == .deadlineExceeded ? " (timeout \(allowed))" : ""
        return RPCError(
            error.code,
            "\(method.fullName): \(error.message)\(limit)",
            cause: error.cause
        )
    }

    private func acquire(
        _ deadline: Deadline,
        _ allowed: Duration,
        _ method: MethodDescriptor
    ) async throws -> ClientSession {
        do throws(NetpollError) {
            switch route {
            case .multiplexed(let connections):
                if let ready = connections.readySession() { return ready }
                return try await connections.session(until: deadline, on: group.preferred())
            case .pooled(let pool):
                return try await pool.checkOut(deadline: deadline)
            }
        } catch {
            throw Self.acquisitionError(
                error,
                method,
                isPastDeadline: group.now() >= deadline,
                allowed
            )
        }
    }

    private static func acquisitionError(
        _ error: NetpollError,
        _ method: MethodDescriptor,
        isPastDeadline: Bool,
        _ allowed: Duration
    ) -> RPCError {
        let message = "\(method.fullName): no connection"
        switch error.code {
        case .cancelled: return RPCError(.cancelled, message, cause: error)
        case .timedOut where isPastDeadline:
            return RPCError(
                .deadlineExceeded,
                "\(message) in time (timeout \(allowed))",
                cause: error
            )
        case .limitExceeded: return RPCError(.resourceExhausted, message, cause: error)
        default: return RPCError(.unavailable, message, cause: error)
        }
    }

    private func release(_ session: ClientSession) {
        if case .pooled(let pool) = route { pool.checkIn(session) }
    }

    private func makeHead(_ method: MethodDescriptor, _ deadline: Deadline, _ options: CallOptions)
        -> FrameHead
    {
        let remaining = max(1, deadline.timeRemaining(from: group.now()).wholeMilliseconds)
        var strings = options.metadata.headerPairs(prefix: WireFormat.StringKey.transientPrefix)
        strings += options.persistentMetadata.headerPairs(
            prefix: WireFormat.StringKey.persistentPrefix
        )
        return FrameHead(
            transport: .ttHeaderFramed,
            flags: self.options.connections.isPooled ? 0 : WireFormat.outOfOrderFlag,
            type: .call,
            sequenceID: Self.sequenceIDs.next(),
            method: method.wireName,
            template: method.requestTemplate,
            caller: caller,
            strings: strings,
            timeoutMilliseconds: remaining,
            hasChecksum: self.options.checksum.isSent
        )
    }

    private static func decode<Response: Message>(
        _ reply: Reply,
        _ method: MethodDescriptor
    ) throws -> Response {
        switch reply.message.type {
        case .exception:
            throw RPCError(WireException(parsing: reply.message.body), reply.header, method)
        case .reply, .stream:
            break
        case .call, .oneway:
            throw RPCError(.protocolViolation, "\(method.fullName): the reply is a request")
        }
        guard reply.message.method == method.name else {
            throw RPCError(
                .protocolViolation,
                "\(method.fullName): the reply is to \(reply.message.method)"
            )
        }
        if let error = BusinessError(reply.header) { throw error }
        do {
            return try reply.message.body.withUnsafeBytes { try Response(serializedBytes: $0) }
        } catch {
            throw RPCError(
                .protocolViolation,
                "\(method.fullName): the reply cannot be decoded",
                cause: error
            )
        }
    }
}
