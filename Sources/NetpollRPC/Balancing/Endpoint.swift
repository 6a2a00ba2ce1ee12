public import NetpollCore

/// One server of a service.
public struct Endpoint: Sendable, Hashable {
    /// Where it listens.
    public var address: SocketAddress
    /// Its share of the load, relative to the others; values below 1 and above 10,000 are moved there.
    public var weight: Int
    /// Its rank: one with a higher number gets calls only while none with a lower number can take
    /// them.
    public var priority: Int
    /// What else is known of it, for instance its zone.
    public var tags: [String: String]

    /// Creates an endpoint.
    public init(
        _ address: SocketAddress,
        weight: Int = 1,
        priority: Int = 0,
        tags: [String: String] = [:]
    ) {
        self.address = address
        self.weight = weight
        self.priority = priority
        self.tags = tags
    }

    var share: Int { min(max(1, weight), 10_000) }
}

/// What a client knows about one of its endpoints at one moment.
public struct EndpointStatistics: Sendable, Hashable {
    /// The endpoint.
    public let endpoint: Endpoint
    /// Calls that wait for a reply.
    public let inFlight: Int
    /// Calls that were sent there and have ended, since the endpoint joined.
    public let ended: Int
    /// Those of them that failed: broken, late, or with a failure that counts.
    public let failed: Int
    /// Whether its breaker keeps calls away.
    public let isEjected: Bool
    /// Whether the last dial failed.
    public let isUnreachable: Bool
}

/// How a client chooses among endpoints of the same ``Endpoint/priority``.
public enum LoadBalancer: Sendable, Hashable {
    /// Each in turn.
    case roundRobin
    /// Each in turn, as often as its weight says, spread evenly.
    case weightedRoundRobin
    /// Of two at random the one with fewer calls in flight for its weight.
    case leastInFlight
    /// By ``CallOptions/loadBalancingKey``: one key goes to one endpoint, and a change of the list
    /// moves few keys. Calls without a key go each in turn. `virtualNodes` places on the ring for
    /// each unit of weight; taken as 1 ... 1,000, and 100,000 for all endpoints together.
    case consistentHash(virtualNodes: Int = 160)
}
