internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
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

    /// Connects to an address.
    ///
    /// A host name's addresses are tried as RFC 8305 says ("Happy Eyeballs"): IPv6 and IPv4 in turn,
    /// the next 250 ms after the last or as soon as it fails; the first that answers wins. Any
    /// thread.
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
            names: group.names,
            options: options,
            deadline: group.deadline(after: connectTimeout),
            makeHandler: makeHandler,
            completion: completion
        )
        attempt.begin()
    }
}
