/// Chooses one of several by index: pure.
struct Picker {
    private let balancer: LoadBalancer
    private let weights: [Int]
    private var cursor = 0
    private var currentWeights: [Int]
    private var ring: [(hash: UInt64, index: Int)] = []
    private var random: UInt64

    static let ringLimit = 100_000

    /// - Parameters:
    ///   - balancer: How.
    ///   - endpoints: Among what.
    ///   - seed: Decides the random choices.
    init(_ balancer: LoadBalancer, _ endpoints: [Endpoint], seed: UInt64) {
        self.balancer = balancer
        weights = endpoints.map(\.share)
        currentWeights = Array(repeating: 0, count: endpoints.count)
        random = seed
        // Clients that start together begin at different endpoints.
        if !endpoints.isEmpty { cursor = Int(next() % UInt64(endpoints.count)) }
        if case .consistentHash(let nodes) = balancer { buildRing(endpoints, nodes) }
    }

    private mutating func buildRing(_ endpoints: [Endpoint], _ nodes: Int) {
        let wanted = min(max(1, nodes), 1000)
        let total = weights.reduce(0, +) * wanted
        let scale = min(1, Double(Self.ringLimit) / Double(max(1, total)))
        for (index, endpoint) in endpoints.enumerated() {
            let count = max(1, Int(Double(wanted * weights[index]) * scale))
            let name = "\(endpoint.address)"
            for node in 0..<count { ring.append((Self.hash("\(name)#\(node)"), index)) }
        }
        ring.sort { ($0.hash, $0.index) < ($1.hash, $1.index) }
    }

    /// The next index for which `isUsable` holds, or `nil` if there is none.
    ///
    /// - Parameters:
    ///   - key: What a consistent hash goes by.
    ///   - isRepeat: Whether the same call was picked for before. It takes nobody's turn then: of two
    ///     endpoints, one that fails would otherwise get the first attempt of every call.
    ///   - isUsable: Whether an index may be picked.
    ///   - inFlight: The calls in flight of an index.
    /// - Returns: The index.
    mutating func pick(
        key: String?,
        isRepeat: Bool = false,
        isUsable: (Int) -> Bool,
        inFlight: (Int) -> Int
    ) -> Int? {
        switch balancer {
        case .roundRobin: isRepeat ? outOfTurn(isUsable) : inTurn(isUsable)
        case .weightedRoundRobin: isRepeat ? outOfTurn(isUsable) : inWeightedTurn(isUsable)
        case .leastInFlight: lessBusy(isUsable, inFlight)
        case .consistentHash:
            if let key {
                onRing(Self.hash(key), isUsable)
            } else {
                isRepeat ? outOfTurn(isUsable) : inTurn(isUsable)
            }
        }
    }

    private mutating func inTurn(_ isUsable: (Int) -> Bool) -> Int? {
        for _ in weights.indices {
            let index = cursor
            cursor = (cursor + 1) % weights.count
            if isUsable(index) { return index }
        }
        return nil
    }

    /// Any one at random, by weight.
    private mutating func outOfTurn(_ isUsable: (Int) -> Bool) -> Int? {
        let usable = weights.indices.filter(isUsable)
        let total = usable.reduce(0) { $0 + weights[$1] }
        guard total > 0 else { return nil }
        var point = Int(next() % UInt64(total))
        return usable.first { index in
            point -= weights[index]
            return point < 0
        }
    }

    /// Smooth weighted round robin: everybody gains its weight, the richest is chosen and pays for
    /// all.
    private mutating func inWeightedTurn(_ isUsable: (Int) -> Bool) -> Int? {
        var best: Int?
        var total = 0
        for index in weights.indices where isUsable(index) {
            currentWeights[index] += weights[index]
            total += weights[index]
            if best.map({ currentWeights[index] > currentWeights[$0] }) ?? true { best = index }
        }
        if let best { currentWeights[best] -= total }
        return best
    }

    private mutating func lessBusy(_ isUsable: (Int) -> Bool, _ inFlight: (Int) -> Int) -> Int? {
        let usable = weights.indices.filter(isUsable)
        guard !usable.isEmpty else { return nil }
        guard usable.count > 1 else { return usable[0] }
        let first = Int(next() % UInt64(usable.count))
        let step = 1 + Int(next() % UInt64(usable.count - 1))
        let (one, other) = (usable[first], usable[(first + step) % usable.count])
        let isOtherFreer =
            (inFlight(other) + 1) * weights[one] < (inFlight(one) + 1) * weights[other]
        return isOtherFreer ? other : one
    }

    private func onRing(_ hash: UInt64, _ isUsable: (Int) -> Bool) -> Int? {
        var low = 0
        var high = ring.count
        while low < high {
            let middle = (low + high) / 2
            if ring[middle].hash < hash { low = middle + 1 } else { high = middle }
        }
        var rejected: Set<Int> = []
        for offset in ring.indices {
            let index = ring[(low + offset) % ring.count].index
            if rejected.contains(index) { continue }
            if isUsable(index) { return index }
            rejected.insert(index)
            if rejected.count == weights.count { return nil }
        }
        return nil
    }

    private mutating func next() -> UInt64 {
        random &+= 0x9E37_79B9_7F4A_7C15
        return Self.mixed(random)
    }

    /// FNV-1a with a mixed end; the same in every process, so that clients agree.
    static func hash(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return mixed(hash)
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
