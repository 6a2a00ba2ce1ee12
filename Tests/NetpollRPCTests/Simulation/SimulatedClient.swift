@testable import NetpollCore
@testable import NetpollRPC

/// A client's ways to the servers.
final class SimulatedClient {
    /// One call at a time on each connection, by the real pool's decisions.
    struct Pool {
        var state: PoolState<SimulatedConnection>
        var nextSweep: Deadline?
        var waiters: [ObjectIdentifier: SimulatedCall] = [:]
    }

    /// All calls on one connection.
    struct Slot {
        var connection: SimulatedConnection?
        var isDialing = false
        var waiting: [SimulatedCall] = []
    }

    let index: Int
    let isPooled: Bool
    var pools: [Pool] = []
    var slots: [Slot] = []

    init(index: Int, isPooled: Bool, seed: UInt64) {
        self.index = index
        self.isPooled = isPooled
        var options = PoolOptions()
        options.connectionLimit = 3
        options.idleLimit = 2
        options.idleTimeout = .milliseconds(80)
        options.waiterLimit = 4
        if isPooled {
            pools = (0..<Simulation.serverCount).map { server in
                Pool(state: PoolState(options: options, seed: seed &+ UInt64(server)))
            }
        } else {
            slots = Array(repeating: Slot(), count: Simulation.serverCount)
        }
    }
}

// MARK: - Connections for calls

extension Simulation {
    func acquire(_ call: SimulatedCall) {
        call.phase = .acquiring
        call.attemptCount += 1
        let client = clients[call.client]
        guard !client.isPooled else { return checkOut(call) }
        if let ready = client.slots[call.server].connection, ready.isActive {
            return begin(call, ready)
        }
        client.slots[call.server].waiting.append(call)
        at(call.deadline) { self.abandon(call, "no connection in time") }
        guard !client.slots[call.server].isDialing else { return }
        client.slots[call.server].isDialing = true
        dial(call.client, call.server)
    }

    /// A call that still waits for a connection gives up.
    func abandon(_ call: SimulatedCall, _ outcome: String) {
        guard case .acquiring = call.phase else { return }
        let client = clients[call.client]
        if client.isPooled {
            guard let waiter = waiter(of: call) else { return }
            client.pools[call.server].state.cancel(waiter)
            client.pools[call.server].waiters[ObjectIdentifier(waiter)] = nil
        } else {
            guard client.slots[call.server].waiting.contains(where: { $0 === call }) else { return }
            client.slots[call.server].waiting.removeAll { $0 === call }
        }
        end(call, outcome)
    }

    private func dial(_ client: Int, _ server: Int) {
        let isParted = isCut[client][server]
        after(isParted ? milliseconds(20...20) : milliseconds(0...5)) {
            guard !isParted, self.isServerUp[server], !self.isCut[client][server] else {
                let code = isParted ? NetpollError.Code.timedOut : .connectionRefused
                return self.dialFailed(NetpollError(code, "dial"), client, server)
            }
            let connection = SimulatedConnection(
                number: self.connections.count,
                client: client,
                server: server,
                isExclusive: self.clients[client].isPooled,
                limit: 2
            )
            self.connections.append(connection)
            self.note("client \(client) has connection \(connection.number) to \(server)")
            self.dialed(connection)
        }
    }

    private func dialed(_ connection: SimulatedConnection) {
        let client = clients[connection.client]
        if client.isPooled {
            return pooled(connection.client, connection.server) {
                $0.dialed(connection, now: $1)
            }
        }
        client.slots[connection.server].connection = connection
        for call in takeWaiting(connection.client, connection.server) { begin(call, connection) }
    }

    private func dialFailed(_ error: NetpollError, _ client: Int, _ server: Int) {
        if clients[client].isPooled {
            return pooled(client, server) { $0.dialFailed(error, now: $1) }
        }
        for call in takeWaiting(client, server) { end(call, "unavailable: \(error.code)") }
    }

    private func takeWaiting(_ client: Int, _ server: Int) -> [SimulatedCall] {
        let waiting = clients[client].slots[server].waiting
        clients[client].slots[server].isDialing = false
        clients[client].slots[server].waiting = []
        return waiting
    }
}

// MARK: - The pool

extension Simulation {
    private func checkOut(_ call: SimulatedCall) {
        let waiter = Waiter<SimulatedConnection>()
        clients[call.client].pools[call.server].waiters[ObjectIdentifier(waiter)] = call
        waitersByCall[call.number] = waiter
        let deadline = Deadline(uptimeNanoseconds: call.deadline)
        pooled(call.client, call.server) { $0.checkOut(waiter, deadline: deadline, now: $1) }
        scheduleSweep(at: deadline, call.client, call.server)
    }

    private func waiter(of call: SimulatedCall) -> Waiter<SimulatedConnection>? {
        waitersByCall[call.number]
    }

    /// Tells a pool of an event and does what it says.
    func pooled(
        _ client: Int,
        _ server: Int,
        _ event: (inout PoolState<SimulatedConnection>, Deadline) ->
            [PoolState<SimulatedConnection>.Action]
    ) {
        let time = Deadline(uptimeNanoseconds: now)
        perform(event(&clients[client].pools[server].state, time), client, server)
        let pool = clients[client].pools[server].state
        if let retry = pool.retry { scheduleSweep(at: retry, client, server) }
        if pool.statistics.idle > 0 {
            let timeout = time.advanced(by: pool.options.idleTimeout)
            scheduleSweep(at: timeout, client, server)
        }
    }

    private func perform(
        _ actions: [PoolState<SimulatedConnection>.Action],
        _ client: Int,
        _ server: Int
    ) {
        for action in actions {
            switch action {
            case .give(let connection, let waiter):
                guard let call = take(waiter, client, server) else {
                    pooled(client, server) { $0.checkIn(connection, now: $1) }
                    continue
                }
                begin(call, connection)
            case .fail(let waiter, let error):
                guard let call = take(waiter, client, server) else { continue }
                end(call, "no connection: \(error.code)")
            case .dial: dial(client, server)
            case .close(let connection):
                if connection.session.drain() { closeAtClient(connection, "the pool let go") }
            }
        }
    }

    private func take(_ waiter: Waiter<SimulatedConnection>, _ client: Int, _ server: Int)
        -> SimulatedCall?
    {
        clients[client].pools[server].waiters.removeValue(forKey: ObjectIdentifier(waiter))
    }

    private func scheduleSweep(at deadline: Deadline, _ client: Int, _ server: Int) {
        if let next = clients[client].pools[server].nextSweep, next <= deadline { return }
        clients[client].pools[server].nextSweep = deadline
        at(deadline.uptimeNanoseconds) { self.sweep(deadline, client, server) }
    }

    private func sweep(_ deadline: Deadline, _ client: Int, _ server: Int) {
        guard clients[client].pools[server].nextSweep == deadline else { return }
        clients[client].pools[server].nextSweep = nil
        var next: Deadline?
        pooled(client, server) { pool, now in
            let result = pool.sweep(now: now)
            next = result.next
            return result.actions
        }
        if let next { scheduleSweep(at: next, client, server) }
    }
}
