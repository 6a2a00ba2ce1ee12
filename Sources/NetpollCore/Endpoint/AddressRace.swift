/// The order in which the addresses of one name are tried (RFC 8305): events in, what to do out; no
/// clock and no socket.
struct AddressRace {
    /// What to do next.
    enum Action: Equatable {
        /// Connect to the address at this index and, if another follows, ask again after
        /// ``AddressRace/attemptDelay``.
        case connect(Int)
        /// Wait for the attempts under way.
        case wait
        /// Every attempt has failed.
        case giveUp
    }

    /// How long one attempt has the field to itself (RFC 8305 section 5).
    static let attemptDelay: Duration = .milliseconds(250)

    private let order: [Int]
    private var started = 0
    private var underWay = 0

    /// Creates a race of addresses with these families, in the order of preference (RFC 6724).
    ///
    /// The families take turns, beginning with that of the first address (RFC 8305 section 4).
    init(families: [Int32]) {
        let first = families.indices.filter { families[$0] == families[0] }
        let others = families.indices.filter { families[$0] != families[0] }
        var order: [Int] = []
        for turn in 0..<max(first.count, others.count) {
            if turn < first.count { order.append(first[turn]) }
            if turn < others.count { order.append(others[turn]) }
        }
        self.order = order
    }

    /// Whether an address has not been tried yet.
    var hasNext: Bool { started < order.count }

    /// The race begins, or an attempt has had its delay.
    mutating func next() -> Action {
        guard hasNext else { return underWay > 0 ? .wait : .giveUp }
        started += 1
        underWay += 1
        return .connect(order[started - 1])
    }

    /// An attempt has failed: the next begins at once.
    mutating func failed() -> Action {
        underWay -= 1
        return next()
    }
}
