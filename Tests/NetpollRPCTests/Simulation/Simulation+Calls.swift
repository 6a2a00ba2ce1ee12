@testable import NetpollCore
@testable import NetpollRPC

// What `ClientSession` and `RPCClient` do with the decisions of their state machines.

extension Simulation {
    func start(_ call: SimulatedCall) {
        note("call \(call.number): client \(call.client) to server \(call.server)")
        acquire(call)
    }

    func cancel(_ call: SimulatedCall) {
        switch call.phase {
        case .acquiring: abandon(call, "cancelled")
        case .inFlight(let connection, let id):
            guard let found = connection.session.cancel(id) else {
                return fail("call \(call.number) is in flight and cannot be cancelled")
            }
            endWithoutReply(found, "cancelled", connection)
        case .ended: break
        }
    }

    func begin(_ call: SimulatedCall, _ connection: SimulatedConnection) {
        let id = nextSequenceID()
        call.phase = .inFlight(connection, id)
        switch connection.session.begin(id, deadline: call.deadline, call) {
        case .send(let timer):
            if let timer { scheduleExpiry(connection, timer) }
            guard connection.isOpenAtClient else {
                if connection.session.cancel(id) != nil { tryAgain(call, connection) }
                return
            }
            send(.request(id, call), \.requests, of: connection)
        case .refused: tryAgain(call, connection)
        case .full:
            end(call, "too many calls")
            giveBack(connection)
        }
    }

    /// Nothing of it was sent: another connection, a few times.
    private func tryAgain(_ call: SimulatedCall, _ connection: SimulatedConnection) {
        giveBack(connection)
        guard call.attemptCount < 3 else { return end(call, "connections close before a call") }
        acquire(call)
    }

    private func giveBack(_ connection: SimulatedConnection) {
        guard connection.isExclusive else { return }
        if sabotage == .leaksConnections, chance(10) { return }
        after(moment()) {
            self.pooled(connection.client, connection.server) {
                $0.checkIn(connection, now: $1)
            }
        }
    }

    private func scheduleExpiry(_ connection: SimulatedConnection, _ time: UInt64) {
        if sabotage == .ignoresTimers { return }
        at(time) {
            let (expired, next) = connection.session.expire(now: self.now)
            if let next { self.scheduleExpiry(connection, next) }
            for call in expired { self.endWithoutReply(call, "no reply in time", connection) }
        }
    }

    private func endWithoutReply(
        _ call: SimulatedCall,
        _ outcome: String,
        _ connection: SimulatedConnection
    ) {
        end(call, outcome)
        giveBack(connection)
        // A server that serves one call at a time still works on it.
        if connection.isExclusive || connection.session.isDrained {
            closeAtClient(connection, "a call ended without its reply")
        }
    }

    func receive(_ message: SimulatedConnection.Message, _ connection: SimulatedConnection) {
        guard connection.isOpenAtClient else { return }
        let receipt: ClientSessionState<SimulatedCall>.Receipt
        var meant: Int?
        switch message {
        case .request: return
        case .end: return closeAtClient(connection, "the server hung up")
        case .control: receipt = connection.session.receive(0, isConnectionReset: true)
        case .reply(var id, let call):
            meant = call
            if sabotage == .confusesReplies, chance(20) { id &+= 1 }
            receipt = connection.session.receive(id, isConnectionReset: false)
        }
        switch receipt {
        case .reply(let call, let closes):
            if meant != call.number {
                fail("call \(call.number) got the reply to \(meant.map(String.init) ?? "nobody")")
            }
            end(call, "reply")
            giveBack(connection)
            if closes { closeAtClient(connection, "drained") }
        case .late: break
        case .drain(let closes): if closes { closeAtClient(connection, "drained") }
        }
    }

    /// The client's side of a connection is gone: its calls end, and the pool hears of it.
    func closeAtClient(_ connection: SimulatedConnection, _ why: String) {
        guard connection.isOpenAtClient else { return }
        note("connection \(connection.number): \(why)")
        connection.isOpenAtClient = false
        send(.end, \.requests, of: connection)
        for call in connection.session.close().begun {
            end(call, "unavailable: \(why)")
            giveBack(connection)
        }
        guard connection.isExclusive else { return }
        let first = moment()
        after(first) {
            self.pooled(connection.client, connection.server) {
                $0.becameInactive(connection, now: $1)
            }
        }
        after(first + moment()) {
            self.pooled(connection.client, connection.server) {
                $0.closed(connection, now: $1)
            }
        }
    }
}
