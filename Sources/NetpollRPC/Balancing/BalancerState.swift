internal import NetpollCore

/// The endpoints of a client and how they fare: pure; events in, decisions out.
///
/// Each ``pick(_:key:excluding:avoiding:now:)`` that chose is followed by one ``ended(_:_:_:now:)``.
struct BalancerState<Member> {
    /// An endpoint that was chosen for a call.
    struct Pick {
        let id: Int
        let member: Member
        /// The phases of its breakers that the call begins in: of the one for all methods, and of the
        /// method's.
        fileprivate let phases: (all: Int, method: Int)
    }

    struct MethodKey: Hashable, Sendable {
        let service: ServiceDescriptor
        let name: String

        init(_ method: MethodDescriptor) {
            service = method.service
            name = method.name
        }
    }

    private struct Entry {
        let id: Int
        var endpoint: Endpoint
        let member: Member
        var inFlight = 0
        var ended = 0
        var failed = 0
        var breaker = CircuitBreaker()
        var methods: [MethodKey: CircuitBreaker] = [:]
        var backOff: DialBackOff
        var isUnreachable = false
        var isProbing = false

        func admits(_ method: MethodKey, _ now: Deadline) -> Bool {
            breaker.admits(now: now) && methods[method]?.admits(now: now) ?? true
        }

        func isEjected(_ method: MethodKey) -> Bool {
            !breaker.isClosed || !(methods[method]?.isClosed ?? true)
        }
    }

    /// Most methods of one endpoint that have a breaker of their own.
    private static var methodLimit: Int { 1024 }

    private let balancer: LoadBalancer
    private let breakers: CircuitBreakerOptions?
    private let dialBackOff: BackOff
    private let endpointLimit: Int
    private var entries: [Entry] = []
    private var indices: [Int: Int] = [:]
    private var picker: Picker
    /// The priorities there are, the first choice first.
    private var priorities: [Int] = []
    private var nextID = 0
    private var seed: UInt64

    init(
        _ balancer: LoadBalancer,
        breakers: CircuitBreakerOptions?,
        dialBackOff: BackOff,
        endpointLimit: Int,
        seed: UInt64
    ) {
        self.balancer = balancer
        self.breakers = breakers
        self.dialBackOff = dialBackOff
        self.endpointLimit = endpointLimit
        self.seed = seed
        picker = Picker(balancer, [], seed: seed)
    }

    var isEmpty: Bool { entries.isEmpty }

    var members: [Member] { entries.map(\.member) }

    var statistics: [EndpointStatistics] {
        entries.map { entry in
            EndpointStatistics(
                endpoint: entry.endpoint,
                inFlight: entry.inFlight,
                ended: entry.ended,
                failed: entry.failed,
                isEjected: !entry.breaker.isClosed
                    || entry.methods.values.contains { !$0.isClosed },
                isUnreachable: entry.isUnreachable
            )
        }
    }

    /// A list arrived; an empty one changes nothing, and of one address the first counts.
    ///
    /// A list of the same endpoints in another order changes nothing either: turns go on.
    ///
    /// - Returns: The members that left: no new call goes there.
    mutating func update(_ list: [Endpoint], make: (Endpoint, Int) -> Member) -> [Member] {
        guard !list.isEmpty else { return [] }
        var old = Dictionary(uniqueKeysWithValues: entries.map { ($0.endpoint.address, $0) })
        var seen: Set<SocketAddress> = []
        var new: [Entry] = []
        var hasChanged = false
        for endpoint in list where new.count < endpointLimit {
            guard seen.insert(endpoint.address).inserted else { continue }
            if var entry = old.removeValue(forKey: endpoint.address) {
                if entry.endpoint != endpoint { hasChanged = true }
                entry.endpoint = endpoint
                new.append(entry)
            } else {
                hasChanged = true
                let backOff = DialBackOff(dialBackOff, seed: seed &+ UInt64(nextID))
                let member = make(endpoint, nextID)
                new.append(
                    Entry(id: nextID, endpoint: endpoint, member: member, backOff: backOff)
                )
                nextID += 1
            }
        }
        guard hasChanged || !old.isEmpty else { return [] }
        entries = new
        indices = Dictionary(uniqueKeysWithValues: new.enumerated().map { ($1.id, $0) })
        picker = Picker(balancer, new.map(\.endpoint), seed: seed)
        priorities = Set(new.map(\.endpoint.priority)).sorted()
        return old.values.map(\.member)
    }

    /// Chooses for a call, by priority: a good endpoint that was not tried yet, else any that was not.
    ///
    /// `tried` have not taken this attempt of the call; `used` got earlier attempts, so a good one
    /// of the same priority that is not among them is better.
    mutating func pick(
        _ method: MethodKey,
        key: String?,
        excluding tried: [Int],
        avoiding used: [Int] = [],
        now: Deadline
    ) -> Pick? {
        guard let index = choose(method, key, tried, used, now) else { return nil }
        entries[index].inFlight += 1
        let all = entries[index].breaker.begin(now: now)
        // A method gets its breaker when its first call has ended.
        let own = entries[index].methods[method]?.begin(now: now) ?? 0
        return Pick(
            id: entries[index].id,
            member: entries[index].member,
            phases: (all, own)
        )
    }

    private mutating func choose(
        _ method: MethodKey,
        _ key: String?,
        _ tried: [Int],
        _ used: [Int],
        _ now: Deadline
    ) -> Int? {
        let entries = entries
        func isLeft(_ index: Int) -> Bool { !tried.contains(entries[index].id) }
        func isGood(_ index: Int) -> Bool {
            isLeft(index) && !entries[index].isUnreachable && entries[index].admits(method, now)
        }
        let isRepeat = !tried.isEmpty || !used.isEmpty
        func isFresh(_ index: Int) -> Bool { !used.contains(entries[index].id) && isGood(index) }
        for priority in priorities {
            if !used.isEmpty, let index = pick(key, isRepeat, priority, isFresh) { return index }
            if let index = pick(key, isRepeat, priority, isGood) { return index }
        }
        for priority in priorities {
            if let index = pick(key, isRepeat, priority, isLeft) { return index }
        }
        return nil
    }

    private mutating func pick(
        _ key: String?,
        _ isRepeat: Bool,
        _ priority: Int,
        _ isUsable: (Int) -> Bool
    ) -> Int? {
        let entries = entries
        return picker.pick(key: key, isRepeat: isRepeat) { index in
            entries[index].endpoint.priority == priority && isUsable(index)
        } inFlight: {
            entries[$0].inFlight
        }
    }

    /// The unreachable members that are due for a dial that no caller waits for.
    mutating func probes(now: Deadline) -> [Member] {
        var due: [Member] = []
        for index in entries.indices where entries[index].isUnreachable {
            guard !entries[index].isProbing, entries[index].backOff.refusal(now: now) == nil
            else { continue }
            entries[index].isProbing = true
            due.append(entries[index].member)
        }
        return due
    }

    /// A dial of an endpoint has ended.
    mutating func dialed(_ id: Int, _ failure: NetpollError?, now: Deadline) {
        guard let index = indices[id] else { return }
        entries[index].isProbing = false
        entries[index].isUnreachable = failure != nil
        if let failure {
            entries[index].backOff.failed(failure, now: now)
        } else {
            entries[index].backOff.connected()
            entries[index].backOff.wasUseful()
        }
    }

    /// A call that was picked for has ended.
    mutating func ended(_ pick: Pick, _ method: MethodKey, _ result: CallResult, now: Deadline) {
        let id = pick.id
        guard let index = indices[id] else { return }
        entries[index].inFlight -= 1
        entries[index].ended += 1
        if result != .success, result != .ignored { entries[index].failed += 1 }
        guard let breakers else { return }
        // A method that fails is no fault of the endpoint.
        let overall = result == .failure ? .success : result
        let phases = pick.phases
        let isBad = entries[index].breaker
            .end(overall, begunIn: phases.all, now: now, breakers)
        if isBad, mayEject(id, method, breakers) {
            entries[index].breaker.open(now: now, breakers)
        }
        let isKnown = entries[index].methods[method] != nil
        guard isKnown || entries[index].methods.count < Self.methodLimit else { return }
        let wantsOpen = entries[index].methods[method, default: CircuitBreaker()]
            .end(result, begunIn: phases.method, now: now, breakers)
        if wantsOpen, mayEject(id, method, breakers) {
            entries[index].methods[method]?.open(now: now, breakers)
        }
    }

    /// Whether one more endpoint may be left out for a method.
    private func mayEject(_ id: Int, _ method: MethodKey, _ breakers: CircuitBreakerOptions)
        -> Bool
    {
        let limit = breakers.ejectionShare * Double(entries.count)
        let ejected = entries.count { $0.id != id && $0.isEjected(method) }
        return Double(ejected + 1) <= limit
    }
}

extension BalancerState.Pick: Sendable where Member: Sendable {}
