public import NetpollCore

/// Calls methods of services, at one address or at the endpoints that a resolver finds.
///
/// Any thread, any number of calls at a time.
///
/// Connections are made when they are needed and made again when they were lost. A call ends by
/// exactly one of: its reply, its deadline, cancellation of its task, or the loss of its
/// connection; a call that never ran is made once more, unseen by the caller, at another endpoint if
/// there is one. Inside a handler a call gets at most what is left of the handler's deadline, and
/// passes persistent metadata on.
public final class RPCClient: Sendable {
    enum Route: Sendable {
        case single(ClientEndpoint)
        case balanced(EndpointDirectory)
    }

    /// Where the client connects; `nil` when it has a resolver.
    public let address: SocketAddress?
    /// The options the client was made with.
    public let options: RPCClientOptions

    let group: EventLoopGroup
    let route: Route
    let interceptors: [any ClientInterceptor]
    let gate = CallGate()
    let retryTokens: Locked<RetryTokens>
    /// The header pairs that say who calls.
    let caller: [UInt8]
    private let ownsGroup: Bool

    /// One counter for the process, as Kitex has it, so that no reply can ever match a call of
    /// another connection by chance.
    static let sequenceIDs = SequenceIDs()

    /// Creates a client of one address.
    ///
    /// Nothing is dialled yet.
    ///
    /// - Parameters:
    ///   - address: Where the server listens.
    ///   - interceptors: What runs around every call, the outermost first.
    ///   - options: Connections, timeouts and limits.
    ///   - group: The loops to use; by default the client has its own, which end with it.
    /// - Throws: `NetpollError` when loops cannot be started.
    public init(
        to address: SocketAddress,
        interceptors: [any ClientInterceptor] = [],
        options: RPCClientOptions = RPCClientOptions(),
        group: EventLoopGroup? = nil
    ) throws {
        let loops = try group ?? EventLoopGroup()
        self.address = address
        self.interceptors = interceptors
        self.options = options
        self.group = loops
        ownsGroup = group == nil
        retryTokens = Locked(RetryTokens(options.retryBudget))
        caller = HeaderTemplate.caller(options.serviceName)
        route = .single(ClientEndpoint(address, options: options, group: loops, onDial: { _ in }))
    }

    /// Creates a client of one address that is reached in another way.
    ///
    /// - Parameters:
    ///   - address: What the client calls the other side.
    ///   - interceptors: What runs around every call, the outermost first.
    ///   - options: Connections, timeouts and limits.
    ///   - group: The loops to use.
    ///   - dial: Makes a session.
    init(
        address: SocketAddress,
        interceptors: [any ClientInterceptor],
        options: RPCClientOptions,
        group: EventLoopGroup,
        dial: @escaping MultiplexedConnections.Dial
    ) {
        self.address = address
        self.interceptors = interceptors
        self.options = options
        self.group = group
        ownsGroup = false
        retryTokens = Locked(RetryTokens(options.retryBudget))
        caller = HeaderTemplate.caller(options.serviceName)
        route = .single(ClientEndpoint(address, options: options, group: group, dial: dial))
    }

    /// Creates a client of the endpoints that a resolver finds.
    ///
    /// Nothing is resolved or dialled yet.
    ///
    /// - Parameters:
    ///   - resolver: Finds the endpoints.
    ///   - interceptors: What runs around every call, the outermost first.
    ///   - options: Connections, timeouts, limits, and how to choose.
    ///   - group: The loops to use; by default the client has its own, which end with it.
    /// - Throws: `NetpollError` when loops cannot be started.
    public init(
        resolver: any Resolver,
        interceptors: [any ClientInterceptor] = [],
        options: RPCClientOptions = RPCClientOptions(),
        group: EventLoopGroup? = nil
    ) throws {
        let loops = try group ?? EventLoopGroup()
        address = nil
        self.interceptors = interceptors
        self.options = options
        self.group = loops
        ownsGroup = group == nil
        retryTokens = Locked(RetryTokens(options.retryBudget))
        caller = HeaderTemplate.caller(options.serviceName)
        route = .balanced(EndpointDirectory(resolver, options: options, group: loops))
    }

    deinit {
        closeConnections()
        if ownsGroup { group.shutdownWithoutWaiting() }
    }

    /// Calls that have begun and not ended.
    public var callCount: Int { gate.count }

    /// What is known of each endpoint; nothing for a client of one address.
    public var endpoints: [EndpointStatistics] {
        if case .balanced(let directory) = route { directory.statistics } else { [] }
    }

    /// Ends the client in good order: refuses new calls with `unavailable`, waits for those in
    /// flight, each of which has a deadline, and closes its connections and its own loops.
    ///
    /// Cancelling the task ends the wait; connections then close once their calls have ended. A
    /// second call waits for the same end.
    public func close() async {
        let isEmpty = await gate.close()
        closeConnections()
        if ownsGroup, isEmpty { await group.shutdown() }
    }

    private func closeConnections() {
        switch route {
        case .single(let endpoint): endpoint.close()
        case .balanced(let directory): directory.close()
        }
    }
}
