import NetpollCore

@testable import NetpollRPC

// MARK: - Messages

extension Simulation {
    func send(
        _ message: SimulatedConnection.Message,
        _ pipe: ReferenceWritableKeyPath<SimulatedConnection, SimulatedConnection.Pipe>,
        of connection: SimulatedConnection
    ) {
        // One message never overtakes another of its direction.
        let arrival = max(now + milliseconds(0...5), connection[keyPath: pipe].lastArrival)
        connection[keyPath: pipe].lastArrival = arrival
        at(arrival) { self.arrive(message, pipe, of: connection) }
    }

    private func arrive(
        _ message: SimulatedConnection.Message,
        _ pipe: ReferenceWritableKeyPath<SimulatedConnection, SimulatedConnection.Pipe>,
        of connection: SimulatedConnection
    ) {
        if connection.isBlackHole { return }
        let isStalled = !connection[keyPath: pipe].stalled.isEmpty
        if isStalled || isCut[connection.client][connection.server] {
            return connection[keyPath: pipe].stalled.append(message)
        }
        if pipe == \.requests {
            serve(message, connection)
        } else {
            receive(message, connection)
        }
    }

    /// Nothing gets through between a client and a server for a while; then what was sent arrives.
    func cut(_ client: Int, _ server: Int) {
        note("client \(client) and server \(server) are parted")
        isCut[client][server] = true
        after(milliseconds(1...150)) {
            self.note("client \(client) and server \(server) are together")
            self.isCut[client][server] = false
            for connection in self.connections
            where connection.client == client && connection.server == server {
                self.release(\.requests, of: connection)
                self.release(\.replies, of: connection)
            }
        }
    }

    private func release(
        _ pipe: ReferenceWritableKeyPath<SimulatedConnection, SimulatedConnection.Pipe>,
        of connection: SimulatedConnection
    ) {
        let stalled = connection[keyPath: pipe].stalled
        connection[keyPath: pipe].stalled = []
        for message in stalled { arrive(message, pipe, of: connection) }
    }

    /// A connection is reset on both sides, or goes silent.
    func breakSomeConnection() {
        guard let connection = connections.randomElement(using: &random) else { return }
        if chance(50) {
            note("connection \(connection.number) goes silent")
            connection.isBlackHole = true
        } else {
            note("connection \(connection.number) is reset")
            connection.isOpenAtServer = false
            after(moment()) { self.closeAtClient(connection, "the connection broke") }
        }
    }
}

// MARK: - Servers

extension Simulation {
    private func serve(_ message: SimulatedConnection.Message, _ connection: SimulatedConnection) {
        guard connection.isOpenAtServer else {
            if case .request = message { send(.end, \.replies, of: connection) }
            return
        }
        switch message {
        case .request(let id, let call):
            connection.servedCount += 1
            // Some handlers never return.
            if chance(4) { return }
            after(milliseconds(0...30)) { self.answer(id, call, connection) }
        case .end: connection.isOpenAtServer = false
        case .reply, .control: break
        }
    }

    private func answer(_ id: Int32, _ call: SimulatedCall, _ connection: SimulatedConnection) {
        guard connection.isOpenAtServer else { return }
        connection.servedCount -= 1
        // A reply that nobody has asked for, and one that comes twice.
        if chance(5) {
            let other = chance(50) ? id &- 1000 : Int32.random(in: -900 ... -800, using: &random)
            send(.reply(other, call: nil), \.replies, of: connection)
        }
        send(.reply(id, call: call.number), \.replies, of: connection)
        if chance(5) { send(.reply(id, call: nil), \.replies, of: connection) }
        if connection.isDrainingAtServer, connection.servedCount == 0 { endDrain(connection) }
    }

    /// A server dies and comes back; its connections are reset.
    func crash(_ server: Int) {
        note("server \(server) dies")
        isServerUp[server] = false
        for connection in connections where connection.server == server {
            hangUp(connection)
        }
        after(milliseconds(1...100)) {
            self.note("server \(server) is back")
            self.isServerUp[server] = true
        }
    }

    private func hangUp(_ connection: SimulatedConnection) {
        guard connection.isOpenAtServer else { return }
        connection.isOpenAtServer = false
        send(.end, \.replies, of: connection)
    }

    /// A server ends in good order and is started again.
    func drain(_ server: Int) {
        note("server \(server) drains")
        isServerUp[server] = false
        for connection in connections where connection.server == server {
            connection.isDrainingAtServer = true
            if connection.servedCount == 0 { endDrain(connection) }
        }
        after(milliseconds(5...100)) {
            self.isServerUp[server] = true
            for connection in self.connections
            where connection.server == server && connection.isDrainingAtServer {
                self.hangUp(connection)
            }
        }
    }

    private func endDrain(_ connection: SimulatedConnection) {
        guard connection.isOpenAtServer else { return }
        if connection.isExclusive { return hangUp(connection) }
        send(.control, \.replies, of: connection)
        // What the client sent before it heard is still served.
        after(milliseconds(1...10)) { self.hangUp(connection) }
    }
}
