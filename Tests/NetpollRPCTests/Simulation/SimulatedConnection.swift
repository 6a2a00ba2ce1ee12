@testable import NetpollCore
@testable import NetpollRPC

/// One call of a simulation, and what became of it.
final class SimulatedCall {
    enum Phase {
        case acquiring
        case inFlight(SimulatedConnection, Int32)
        case ended
    }

    let number: Int
    let client: Int
    let server: Int
    let deadline: UInt64
    var phase = Phase.acquiring
    var attemptCount = 0
    var endCount = 0

    init(number: Int, client: Int, server: Int, deadline: UInt64) {
        self.number = number
        self.client = client
        self.server = server
        self.deadline = deadline
    }
}

/// A connection between a client and a server, with its two directions.
final class SimulatedConnection: Poolable, PoolMember, @unchecked Sendable {
    // @unchecked: a simulation runs on one thread.

    enum Message {
        case request(Int32, SimulatedCall)
        /// `call` is whose reply the server means it to be.
        case reply(Int32, call: Int?)
        case control
        case end
    }

    struct Pipe {
        var lastArrival: UInt64 = 0
        /// What waits for a partition to heal.
        var stalled: [Message] = []
    }

    let number: Int
    let client: Int
    let server: Int
    let isExclusive: Bool
    var session: ClientSessionState<SimulatedCall>
    var isOpenAtClient = true
    var isOpenAtServer = true
    var isDrainingAtServer = false
    /// Everything that is sent disappears, and nobody is told.
    var isBlackHole = false
    var servedCount = 0
    var lastSequenceID: Int32 = 0
    var requests = Pipe()
    var replies = Pipe()

    init(number: Int, client: Int, server: Int, isExclusive: Bool, limit: Int) {
        self.number = number
        self.client = client
        self.server = server
        self.isExclusive = isExclusive
        session = ClientSessionState(limit: limit)
    }

    var isActive: Bool { isOpenAtClient && session.acceptsCalls }

    // The simulation itself brings these events, at times of its choice.
    func close() {}
    func onInactive(_ body: @escaping @Sendable () -> Void) {}
    func onClose(_ body: @escaping @Sendable () -> Void) {}
}
