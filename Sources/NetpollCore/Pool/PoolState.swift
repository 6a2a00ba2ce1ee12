/// The decisions of a connection pool: events in, actions out; no clock, no thread, no socket.
///
/// Counts: `live` are connections that were dialled and have not been reported closed; `dialing`
/// are dials under way. Their sum never exceeds the connection limit.
struct PoolState<Member: Poolable> {
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
    }

    private struct Waiting {
        let waiter: Waiter<Member>
        let deadline: Deadline
    }

    let options: PoolOptions
    private var idle: [Idle] = []
    private var waiting: [Waiting] = []
    private var live = 0
    private var dialing = 0
    private var isClosed = false
    private var hits = 0

    init(options: PoolOptions) { self.options = options }

    var statistics: PoolStatistics {
        PoolStatistics(
            live: live,
            idle: idle.count,
            dialing: dialing,
            waiting: waiting.count,
            reused: hits
        )
    }

    /// A caller wants a connection: the one that was used last, while it is active.
    mutating func checkOut(_ waiter: Waiter<Member>, deadline: Deadline) -> Action? {
        guard !isClosed else { return .fail(waiter, NetpollError(.shutdown, "the pool is closed")) }
        while let newest = idle.popLast() {
            // An inactive one is on its way out: `closed` will be reported and counted.
            guard newest.member.isActive else { continue }
            hits += 1
            return .give(newest.member, to: waiter)
        }
        guard waiting.count < options.waiterLimit else {
            return .fail(
                waiter,
                NetpollError(.limitExceeded, "\(waiting.count) callers wait for a connection")
            )
        }
        waiting.append(Waiting(waiter: waiter, deadline: deadline))
        return dialIfNeeded()
    }

    /// A caller gives up waiting; its outcome is no business of the pool any more.
    mutating func cancel(_ waiter: Waiter<Member>) {
        waiting.removeAll { $0.waiter === waiter }
    }

    mutating func dialed(_ member: Member, now: Deadline) -> Action? {
        dialing -= 1
        live += 1
        return place(member, now)
    }

    /// A dial failed: the caller who waits longest is told, so that nobody waits for a dead server.
    mutating func dialFailed(_ error: NetpollError) -> [Action] {
        dialing -= 1
        var actions: [Action] = []
        if !waiting.isEmpty { actions.append(.fail(waiting.removeFirst().waiter, error)) }
        if let next = dialIfNeeded() { actions.append(next) }
        return actions
    }

    mutating func checkIn(_ member: Member, now: Deadline) -> Action? { place(member, now) }

    /// A connection is gone, whoever had it.
    mutating func closed(_ member: Member) -> Action? {
        live -= 1
        idle.removeAll { $0.member === member }
        return dialIfNeeded()
    }

    /// Fails who waited too long and closes what was idle too long; returns when to look again.
    mutating func sweep(now: Deadline) -> (actions: [Action], next: Deadline?) {
        let error = NetpollError(.timedOut, "wait for a pooled connection")
        var actions = waiting.filter { $0.deadline <= now }.map { Action.fail($0.waiter, error) }
        waiting.removeAll { $0.deadline <= now }
        // Oldest first: `idle` is a stack.
        let expired = idle.prefix { $0.since.advanced(by: options.idleTimeout) <= now }
        idle.removeFirst(expired.count)
        actions += expired.map { Action.close($0.member) }
        return (actions, nextSweep)
    }

    private var nextSweep: Deadline? {
        let idleEnd = idle.first?.since.advanced(by: options.idleTimeout)
        let waitEnd = waiting.map(\.deadline).min()
        let next = [idleEnd, waitEnd].compactMap { $0 }.min()
        return next == .distantFuture ? nil : next
    }

    mutating func close() -> [Action] {
        isClosed = true
        let error = NetpollError(.shutdown, "the pool is closed")
        let actions =
            waiting.map { Action.fail($0.waiter, error) } + idle.map { Action.close($0.member) }
        waiting = []
        idle = []
        return actions
    }

    private mutating func place(_ member: Member, _ now: Deadline) -> Action? {
        guard member.isActive else { return nil }
        if isClosed { return .close(member) }
        if !waiting.isEmpty { return .give(member, to: waiting.removeFirst().waiter) }
        guard idle.count < options.idleLimit else { return .close(member) }
        idle.append(Idle(member: member, since: now))
        return nil
    }

    /// One dial for each waiter that has none under way, within the limit.
    private mutating func dialIfNeeded() -> Action? {
        guard !isClosed, waiting.count > dialing, live + dialing < options.connectionLimit else {
            return nil
        }
        dialing += 1
        return .dial
    }
}
