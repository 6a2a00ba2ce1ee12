/// Resolves host names on threads of its own, because getaddrinfo(3) blocks.
///
/// Numeric hosts and Unix paths are resolved at once. Any thread.
final class NameLookup: Sendable {
    typealias Outcome = Result<[RawAddress], NetpollError>
    typealias Completion = @Sendable (Outcome) -> Void

    /// Most names that are looked up at a time.
    static let threadLimit = 16
    /// Most names that wait their turn.
    static let queueLimit = 1024

    private let lookups: BlockingLookups<SocketAddress, [RawAddress]>

    /// Creates a resolver.
    ///
    /// - Parameter lookUp: Resolves one name and may block; the system's resolver by default.
    init(
        lookUp: @escaping @Sendable (SocketAddress) -> Outcome = { address in
            Result { () throws(NetpollError) in try RawAddress.resolve(address, passive: false) }
        }
    ) {
        lookups = BlockingLookups(
            threadLimit: Self.threadLimit,
            queueLimit: Self.queueLimit,
            lookUp: lookUp
        )
    }

    /// Resolves an address; `completion` is called once, on this thread or on another.
    func resolve(_ address: SocketAddress, _ completion: @escaping Completion) {
        // A name that is not numeric fails this first try without asking the network.
        if let numeric = try? RawAddress.resolve(address, passive: false, numericOnly: true) {
            return completion(.success(numeric))
        }
        lookups.find(address, completion)
    }
}

extension EventLoopGroup {
    /// The numeric addresses of a host, in the system's order of preference.
    ///
    /// Any thread; the look-up blocks a thread of its own, not this one.
    ///
    /// - Throws: ``NetpollError``: `invalidAddress` when there is no such name, `limitExceeded`,
    ///   `cancelled` or `system`.
    package func addresses(of host: SocketAddress) async throws(NetpollError) -> [SocketAddress] {
        let waiter = Waiter<[RawAddress]>()
        let found = try await waiter.wait {
            names.resolve(host) { waiter.finish($0) }
        } onCancel: {
            waiter.finish(.failure(NetpollError(.cancelled, "resolve \(host)")))
        }
        return found.map(\.socketAddress)
    }

    /// The servers that the domain name system names for a service.
    ///
    /// Any thread; the look-up blocks a thread of its own, not this one.
    ///
    /// - Parameters:
    ///   - name: For instance `_echo._tcp.example.org`.
    ///   - nameServer: Whom to ask instead of the system's name servers: a numeric IPv4 address.
    /// - Returns: The records; none when the name exists without any.
    /// - Throws: ``NetpollError``: `invalidAddress` when there is no such name, `timedOut` when no
    ///   name server answered, `limitExceeded`, `cancelled` or `system`.
    package func serviceRecords(
        _ name: String,
        nameServer: SocketAddress? = nil
    ) async throws(NetpollError) -> [ServiceRecord] {
        let waiter = Waiter<[ServiceRecord]>()
        return try await waiter.wait {
            services.find(ServiceName(name: name, nameServer: nameServer)) { waiter.finish($0) }
        } onCancel: {
            waiter.finish(.failure(NetpollError(.cancelled, "resolve \(name)")))
        }
    }
}
