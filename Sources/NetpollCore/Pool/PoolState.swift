/// What a pool's decisions know of a member.
protocol PoolMember: Sendable {
    /// Tells members apart.
    var identity: ObjectIdentifier { get }
    /// As ``Poolable/isActive``.
    var isActive: Bool { get }
    /// As ``Poolable/endedWithoutUse``.
    var endedWithoutUse: Bool { get }
}

extension PoolMember where Self: AnyObject {
    var identity: ObjectIdentifier { ObjectIdentifier(self) }
}

/// The decisions of a connection pool: events in, actions out; no clock, no thread, no socket.
///
/// Counts: `live` are connections that were dialled and have not been reported closed; `dialing`
/// are dials under way. Their sum never exceeds the connection limit.
struct PoolState<Member: PoolMember> {
    /// What the runner must do after an event, outside its lock.
    enum Action {
        case give(Member, to: Waiter<Member>)
        case fail(Waiter<Member>, NetpollError)
        case dial
        case close(Member)
    }

    private struct Idle {
        let member: Member
        let since: Deadline
        /// Nobody has had it yet.
        let isUnused: Bool
    }

    private struct Waiting {
        let waiter: Waiter<Member>
        let deadline: Deadline
    }

    let options: PoolOptions
    /// A stack: the one used last is the last.
    private var idle: [Idle] = []
    private var lent: Set<ObjectIdentifier> = []
    private var waiting: [Waiting] = []
    private var live = 0
    private var dialing = 0
    private var isClosed = false
    private var hits = 0
    private var failedDials = 0
    private var backOff: DialBackOff

    /// Creates an empty pool; `seed` decides the jitter.
    init(options: PoolOptions, seed: UInt64) {
        self.options = options
        backOff = DialBackOff(options.backOff, seed: seed)
    }

    var statistics: PoolStatistics {
        PoolStatistics(
            live: live,
            idle: idle.count,
            dialing: dialing,
            waiting: waiting.count,
            reused: hits,
            failedDials: failedDials
        )
    }
}

// MARK: - Callers

extension PoolState {
    /// A caller wants a connection: the one that was used last, while it is active.
    mutating func checkOut(
        _ waiter: Waiter<Member>,
        deadline: Deadline,
        now: Deadline
    ) -> [Action] {
        guard !isClosed else {
            return [.fail(waiter, NetpollError(.shutdown, "the pool is closed"))]
        }
        var actions: [Action] = []
        while let newest = takeIdle() {
            guard newest.member.isActive else {
                actions.append(.close(newest.member))
                continue
            }
            hits += 1
            actions.append(give(newest.member, to: waiter))
            return actions + dials(now)
        }
        if live == 0, let error = backOff.refusal(now: now) {
            return actions + [.fail(waiter, error)]
        }
        guard waiting.count < options.waiterLimit else {
            let message = "\(waiting.count) callers wait for a connection"
            return actions + [.fail(waiter, NetpollError(.limitExceeded, message))]
        }
        waiting.append(Waiting(waiter: waiter, deadline: deadline))
        return actions + dials(now)
    }

    /// As ``checkOut(_:deadline:now:)`` for a caller who takes nothing else: the connection that was
    /// used last, if nothing else is to be done.
    mutating func checkOutIdle() -> Member? {
        guard !isClosed, waiting.isEmpty, options.minimumIdle == 0, let newest = idle.last,
            newest.member.isActive
        else { return nil }
        _ = takeIdle()
        hits += 1
        lent.insert(newest.member.identity)
        return newest.member
    }

    /// A caller gives up waiting; its outcome is no business of the pool any more.
    mutating func cancel(_ waiter: Waiter<Member>) {
        waiting.removeAll { $0.waiter === waiter }
    }

    /// A connection comes back; one that was not lent, or came back before, changes nothing.
    mutating func checkIn(_ member: Member, now: Deadline) -> [Action] {
        guard lent.remove(member.identity) != nil else { return [] }
        if !member.isActive, member.endedWithoutUse { return [.close(member)] + endedUnused(now) }
        backOff.wasUseful()
        return place(member, isUnused: false, now)
    }

    private mutating func give(_ member: Member, to waiter: Waiter<Member>) -> Action {
        lent.insert(member.identity)
        return .give(member, to: waiter)
    }

    private mutating func takeIdle() -> Idle? {
        guard let newest = idle.popLast() else { return nil }
        options.idleBudget?.giveBack()
        return newest
    }

    private mutating func place(_ member: Member, isUnused: Bool, _ now: Deadline) -> [Action] {
        guard !isClosed, member.isActive else { return [.close(member)] }
        if !waiting.isEmpty { return [give(member, to: waiting.removeFirst().waiter)] + dials(now) }
        guard idle.count < options.idleLimit, options.idleBudget?.take() ?? true else {
            return [.close(member)]
        }
        idle.append(Idle(member: member, since: now, isUnused: isUnused))
        return dials(now)
    }
}

// MARK: - Connections

extension PoolState {
    /// The dials that the minimum and those who wait ask for.
    mutating func warmUp(now: Deadline) -> [Action] { dials(now) }

    /// One dial that no caller waits for, even during a back-off, to learn whether the address lives.
    mutating func probe() -> [Action] {
        guard !isClosed, live + dialing < options.connectionLimit else { return [] }
        dialing += 1
        return [.dial]
    }

    mutating func dialed(_ member: Member, now: Deadline) -> [Action] {
        dialing -= 1
        live += 1
        backOff.connected()
        guard member.isActive else {
            return [.close(member)] + failed(Self.closedUnused, now)
        }
        return place(member, isUnused: true, now)
    }

    /// A dial failed: everybody who waits is told, so that nobody waits for a dead server.
    ///
    /// While other connections live, only the caller who waits longest is: one of those may come
    /// free for the rest.
    mutating func dialFailed(_ error: NetpollError, now: Deadline) -> [Action] {
        dialing -= 1
        failedDials += 1
        return failed(error, now)
    }

    /// A connection cannot be used any more; an idle one leaves.
    mutating func becameInactive(_ member: Member, now: Deadline) -> [Action] {
        guard let entry = removeIdle(member) else { return [] }
        return [.close(member)] + (entry.isUnused ? failed(Self.closedUnused, now) : [])
    }

    /// A connection is gone, whoever had it.
    mutating func closed(_ member: Member, now: Deadline) -> [Action] {
        live -= 1
        if lent.remove(member.identity) != nil {
            if member.endedWithoutUse { return endedUnused(now) }
            backOff.wasUseful()
        }
        if let entry = removeIdle(member), entry.isUnused { return failed(Self.closedUnused, now) }
        return dials(now)
    }

    /// A server that accepts and closes is as good as one that refuses.
    private static var closedUnused: NetpollError {
        NetpollError(.connectionReset, "a pooled connection was closed before it was of use")
    }

    private mutating func removeIdle(_ member: Member) -> Idle? {
        guard let index = idle.firstIndex(where: { $0.member.identity == member.identity }) else {
            return nil
        }
        options.idleBudget?.giveBack()
        return idle.remove(at: index)
    }

    private mutating func failed(_ error: NetpollError, _ now: Deadline) -> [Action] {
        backOff.failed(error, now: now)
        let first = waiting.isEmpty ? [] : [Action.fail(waiting.removeFirst().waiter, error)]
        return first + dials(now)
    }

    /// The peer ended a member on the caller who had it.
    private mutating func endedUnused(_ now: Deadline) -> [Action] {
        backOff.endedUnused(Self.closedUnused, now: now)
        return dials(now)
    }

    /// Whether a caller waits without a dial of its own, or idle connections are missing.
    private var wantsDial: Bool {
        if waiting.count > dialing { return true }
        let minimum = min(options.minimumIdle, options.idleLimit)
        return idle.count + dialing - waiting.count < minimum && options.idleBudget?.hasRoom ?? true
    }

    /// One dial for each waiter that has none under way and for what the minimum asks, within the
    /// limit and not during a back-off: then who waits fails, unless a connection may come free.
    private mutating func dials(_ now: Deadline) -> [Action] {
        if let error = backOff.refusal(now: now) {
            guard live == 0, dialing == 0 else { return [] }
            defer { waiting = [] }
            return waiting.map { .fail($0.waiter, error) }
        }
        var actions: [Action] = []
        while !isClosed, wantsDial, live + dialing < options.connectionLimit {
            dialing += 1
            actions.append(.dial)
        }
        return actions
    }
}

// MARK: - Time

extension PoolState {
    /// Fails who waited too long and closes what was idle too long; returns when to look again.
    mutating func sweep(now: Deadline) -> (actions: [Action], next: Deadline?) {
        let error = NetpollError(.timedOut, "wait for a pooled connection")
        var actions = waiting.filter { $0.deadline <= now }.map { Action.fail($0.waiter, error) }
        waiting.removeAll { $0.deadline <= now }
        // Oldest first: `idle` is a stack.
        let expired = idle.prefix { $0.since.advanced(by: options.idleTimeout) <= now }
            .prefix(max(0, idle.count - options.minimumIdle))
        idle.removeFirst(expired.count)
        for entry in expired {
            options.idleBudget?.giveBack()
            actions.append(.close(entry.member))
        }
        backOff.expire(now: now)
        return (actions + dials(now), nextSweep)
    }

    private var nextSweep: Deadline? {
        let canExpire = idle.count > options.minimumIdle
        let idleEnd = canExpire ? idle.first?.since.advanced(by: options.idleTimeout) : nil
        let waitEnd = waiting.map(\.deadline).min()
        let next = [idleEnd, waitEnd, retry].compactMap { $0 }.min()
        return next == .distantFuture ? nil : next
    }

    /// When to dial again for those who wait and for the minimum.
    var retry: Deadline? { wantsDial && !isClosed ? backOff.end?.deadline : nil }

    mutating func close() -> [Action] {
        isClosed = true
        let error = NetpollError(.shutdown, "the pool is closed")
        let actions =
            waiting.map { Action.fail($0.waiter, error) } + idle.map { Action.close($0.member) }
        waiting = []
        while takeIdle() != nil {}
        return actions
    }
}
