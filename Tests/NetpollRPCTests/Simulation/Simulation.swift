import NetpollTesting

@testable import NetpollCore
@testable import NetpollRPC

/// Five clients and three servers on a virtual clock, with everything that can go wrong between
/// them; one seed decides all of it.
///
/// The decisions of the clients are those of the real `ClientSessionState` and `PoolState`; the
/// network, the servers and whoever carries decisions out are simulated. Two clients pool their connections, the
/// others multiplex.
final class Simulation {
    /// What a run does wrong on purpose, to show that the checks notice it.
    enum Sabotage {
        case nothing
        /// Deadlines of calls in flight are never looked at.
        case ignoresTimers
        /// Pooled connections are not given back after every tenth call.
        case leaksConnections
        /// A reply goes to the call that comes first, whatever its id.
        case confusesReplies
    }

    static let clientCount = 5
    static let serverCount = 3
    static let pooledClientCount = 2
    static let callCountPerClient = 12
    static let millisecond: UInt64 = 1_000_000

    let seed: UInt64
    let sabotage: Sabotage
    private let isTraced: Bool
    private(set) var trace: [String] = []
    /// What was wrong; empty after a good run.
    private(set) var failures: [String] = []

    var random: SeededGenerator
    private var events = EventQueue()
    private var calls: [SimulatedCall] = []
    var connections: [SimulatedConnection] = []
    var clients: [SimulatedClient] = []
    /// Who waits in a pool, by the number of the call.
    var waitersByCall: [Int: Waiter<SimulatedConnection>] = [:]
    var isServerUp = [Bool](repeating: true, count: Simulation.serverCount)
    /// By client and server: whether nothing gets through.
    var isCut = [[Bool]](
        repeating: [Bool](repeating: false, count: Simulation.serverCount),
        count: Simulation.clientCount
    )
    /// One counter for all clients, as in a process; it passes the largest number early.
    private var sequenceID = Int32.max - 20

    init(seed: UInt64, sabotage: Sabotage = .nothing, isTraced: Bool = false) {
        self.seed = seed
        self.sabotage = sabotage
        self.isTraced = isTraced
        random = SeededGenerator(seed: seed)
        clients = (0..<Self.clientCount).map { index in
            SimulatedClient(
                index: index,
                isPooled: index < Self.pooledClientCount,
                seed: seed &* 31 &+ UInt64(index)
            )
        }
    }

    var now: UInt64 { events.now }

    /// Runs until nothing is left to happen, and checks what is left over.
    func run() {
        for client in clients { planCalls(client) }
        planFaults()
        while let event = events.next() { event() }
        check()
    }

    private func check() {
        for call in calls where call.endCount != 1 {
            fail("call \(call.number) ended \(call.endCount) times")
        }
        for connection in connections where connection.session.inFlightCount != 0 {
            fail("connection \(connection.number) keeps \(connection.session.inFlightCount) calls")
        }
        for client in clients {
            for (server, pool) in client.pools.enumerated() {
                let left = pool.state.statistics
                // Idle connections have reached their timeout: a pool without calls is empty.
                guard left.live + left.dialing + left.waiting + left.idle > 0 else { continue }
                fail("the pool of client \(client.index) to server \(server) keeps \(left)")
            }
            for (server, slot) in client.slots.enumerated() where !slot.waiting.isEmpty {
                fail("calls of client \(client.index) wait for server \(server)")
            }
        }
    }
}

// MARK: - Tools

extension Simulation {
    func fail(_ text: String) {
        failures.append("seed \(seed), \(now) ns: \(text)")
        note("FAILURE: \(text)")
    }

    func note(_ text: @autoclosure () -> String) {
        if isTraced { trace.append("\(now) \(text())") }
    }

    func after(_ delay: UInt64, _ run: @escaping () -> Void) {
        events.schedule(at: now + delay, run)
    }

    func at(_ time: UInt64, _ run: @escaping () -> Void) { events.schedule(at: time, run) }

    func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    func milliseconds(_ range: ClosedRange<UInt64>) -> UInt64 {
        let unit = Self.millisecond
        return UInt64.random(in: range.lowerBound * unit...range.upperBound * unit, using: &random)
    }

    /// A moment so short that nothing but the order of events depends on it.
    func moment() -> UInt64 { UInt64.random(in: 0...3, using: &random) }

    func nextSequenceID() -> Int32 {
        sequenceID &+= 1
        if sequenceID == 0 { sequenceID = 1 }
        return sequenceID
    }
}

// MARK: - Plans

extension Simulation {
    private func planCalls(_ client: SimulatedClient) {
        for _ in 0..<Self.callCountPerClient {
            let start = now + milliseconds(0...400)
            let allowed = chance(5) ? 1 : milliseconds(1...100)
            let call = SimulatedCall(
                number: calls.count,
                client: client.index,
                server: Int.random(in: 0..<Self.serverCount, using: &random),
                deadline: start + allowed
            )
            calls.append(call)
            at(start) { self.start(call) }
            if chance(20) { at(start + milliseconds(0...60)) { self.cancel(call) } }
        }
    }

    private func planFaults() {
        for server in 0..<Self.serverCount {
            if chance(60) { at(now + milliseconds(0...400)) { self.crash(server) } }
            if chance(40) { at(now + milliseconds(0...400)) { self.drain(server) } }
        }
        for client in 0..<Self.clientCount where chance(40) {
            let server = Int.random(in: 0..<Self.serverCount, using: &random)
            at(now + milliseconds(0...400)) { self.cut(client, server) }
        }
        for _ in 0..<4 { at(now + milliseconds(0...400)) { self.breakSomeConnection() } }
    }

    func end(_ call: SimulatedCall, _ outcome: String) {
        call.endCount += 1
        call.phase = .ended
        note("call \(call.number): \(outcome)")
        if call.endCount > 1 { fail("call \(call.number) ended again: \(outcome)") }
        if now > call.deadline { fail("call \(call.number) ended after its deadline: \(outcome)") }
    }
}
