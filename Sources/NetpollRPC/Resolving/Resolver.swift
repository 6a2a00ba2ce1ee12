public import NetpollCore

/// Finds the endpoints of a service and keeps a client up to date about them.
///
/// The client runs one task for its resolver, from its first call until it is closed.
public protocol Resolver: Sendable {
    /// Publishes lists of endpoints until nothing can change any more, or the task is cancelled.
    ///
    /// The last list that was published stays in use, whatever happens after. When this throws, the
    /// error is what calls get that have no list yet, and it is run again after a while.
    ///
    /// - Parameter updates: Where lists and failures go.
    /// - Throws: What went wrong.
    func run(_ updates: EndpointUpdates) async throws
}

/// Where a ``Resolver`` publishes what it finds.
///
/// Any thread.
public final class EndpointUpdates: Sendable {
    /// The client's loops, for timers and look-ups.
    public let group: EventLoopGroup
    private let directory: EndpointDirectory

    init(_ directory: EndpointDirectory, group: EventLoopGroup) {
        self.directory = directory
        self.group = group
    }

    /// Takes a list into use.
    ///
    /// Endpoints that are new are dialled when calls go there; those that left finish their calls
    /// and close. An empty list changes nothing.
    public func publish(_ endpoints: [Endpoint]) { directory.publish(endpoints) }

    /// Tells that a look-up failed; the last list stays in use.
    public func report(_ error: any Error) { directory.report(error) }

    /// Suspends until it is time to look again: after `interval`, or earlier because an endpoint
    /// cannot be reached, but never before `minimum` has passed.
    ///
    /// - Throws: `CancellationError` when the client was closed.
    public func waitForRefresh(after interval: Duration, atLeast minimum: Duration) async throws {
        try await directory.waitForRefresh(after: interval, atLeast: minimum)
    }
}

extension EndpointUpdates {
    /// Looks up, publishes and waits, for as long as the client lives.
    ///
    /// - Parameters:
    ///   - interval: How long a list is used at most; less if what was found lives shorter.
    ///   - minimum: The shortest time between two look-ups, and the time after one that found
    ///     nothing: the last list may be as old as it is wrong.
    ///   - lookUp: Finds endpoints and how long they hold, if anybody says.
    /// - Throws: `CancellationError` when the client was closed.
    fileprivate func follow(
        every interval: Duration,
        atLeast minimum: Duration,
        lookUp: () async throws(NetpollError) -> ([Endpoint], life: Duration?)
    ) async throws {
        while true {
            var pause = minimum
            do throws(NetpollError) {
                let (endpoints, life) = try await lookUp()
                publish(endpoints)
                if !endpoints.isEmpty { pause = min(interval, life ?? interval) }
            } catch {
                report(error)
            }
            try await waitForRefresh(after: pause, atLeast: minimum)
        }
    }
}

/// A list that does not change.
public struct StaticResolver: Resolver {
    /// The list.
    public let endpoints: [Endpoint]

    /// Creates a resolver of a list.
    public init(_ endpoints: [Endpoint]) { self.endpoints = endpoints }

    /// Creates a resolver of addresses, TCP or Unix, of equal weight.
    public init(_ addresses: [SocketAddress]) { endpoints = addresses.map { Endpoint($0) } }

    /// Publishes the list.
    ///
    /// - Throws: Nothing.
    public func run(_ updates: EndpointUpdates) async throws { updates.publish(endpoints) }
}

/// The addresses of a host name (A and AAAA records), looked up again from time to time, when one
/// cannot be reached and when a look-up failed.
///
/// The last list stays in use while look-ups fail.
public struct DNSResolver: Resolver {
    /// The host name.
    public let host: String
    /// The port at each address.
    public let port: Int
    /// How long a list is used.
    ///
    /// Default 30 s.
    public var interval: Duration = .seconds(30)
    /// The shortest time between two look-ups.
    ///
    /// Default 5 s.
    public var minimumInterval: Duration = .seconds(5)

    /// Creates a resolver of a host name.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Looks the name up for as long as the client lives.
    ///
    /// - Throws: `CancellationError` when the client was closed.
    public func run(_ updates: EndpointUpdates) async throws {
        try await updates.follow(every: interval, atLeast: minimumInterval) {
            () throws(NetpollError) in
            let found = try await updates.group.addresses(of: .tcp(host: host, port: port))
            return (found.map { Endpoint($0) }, nil)
        }
    }
}

/// The servers of a service by its SRV records (RFC 2782), looked up again when they expire, when one
/// cannot be reached and when a look-up failed.
///
/// The last list stays in use while look-ups fail. Priorities and weights become those of the
/// endpoints: targets with a higher number get calls only while none with a lower one can be
/// reached.
public struct ServiceResolver: Resolver {
    /// The service's name, for instance `_echo._tcp.example.org`.
    public let name: String
    /// Whom to ask: a numeric IPv4 address; `nil` for the system's name servers.
    public var nameServer: SocketAddress?
    /// How long a list is used at most; a shorter life of the records counts.
    ///
    /// Default 30 s.
    public var interval: Duration = .seconds(30)
    /// The shortest time between two look-ups.
    ///
    /// Default 5 s.
    public var minimumInterval: Duration = .seconds(5)

    /// Creates a resolver of a service name.
    public init(_ name: String) { self.name = name }

    /// Looks the name up for as long as the client lives.
    ///
    /// - Throws: `CancellationError` when the client was closed.
    public func run(_ updates: EndpointUpdates) async throws {
        try await updates.follow(every: interval, atLeast: minimumInterval) {
            () throws(NetpollError) in
            let records = try await updates.group.serviceRecords(name, nameServer: nameServer)
            let life = records.map(\.secondsToLive).min()
            return (Self.endpoints(records), life.map { .seconds(Int64($0)) })
        }
    }

    static func endpoints(_ records: [ServiceRecord]) -> [Endpoint] {
        records.map { record in
            Endpoint(
                .tcp(host: record.target, port: Int(record.port)),
                weight: Int(record.weight),
                priority: Int(record.priority)
            )
        }
    }
}
