import Glibc
import Testing

@testable import NetpollRPC

@Suite("Simulation of clients, servers and the network between them")
struct SimulationTests {
    private static let caseCount: UInt64 = 25

    /// How many seeds run; a nightly job sets more.
    private static let seedCount = number("NETPOLL_SIMULATION_SEEDS") ?? 2500

    /// The seed to replay; then only that one runs, and tells what happens.
    private static let replayedSeed = number("NETPOLL_SIMULATION_SEED")

    /// A number from the environment.
    private static func number(_ name: String) -> UInt64? {
        getenv(name).flatMap { UInt64(String(cString: $0)) }
    }

    @Test(
        "every call ends once and by its deadline, and nothing is left over",
        arguments: 0..<caseCount
    )
    func seeds(part: UInt64) {
        if let seed = Self.replayedSeed { return part == 0 ? replay(seed) : () }
        for seed in stride(from: part, to: Self.seedCount, by: Int(Self.caseCount)) {
            let simulation = Simulation(seed: seed)
            simulation.run()
            for failure in simulation.failures {
                Issue.record("\(failure); replay with NETPOLL_SIMULATION_SEED=\(seed)")
            }
        }
    }

    private func replay(_ seed: UInt64) {
        let simulation = Simulation(seed: seed, isTraced: true)
        simulation.run()
        for line in simulation.trace { print(line) }
        #expect(simulation.failures.isEmpty)
    }

    @Test("a seed happens the same way each time", arguments: [3, 77, 1234] as [UInt64])
    func replays(seed: UInt64) {
        let traces = (0..<2).map { _ in
            let simulation = Simulation(seed: seed, isTraced: true)
            simulation.run()
            return simulation.trace
        }
        #expect(traces[0] == traces[1])
        #expect(traces[0].count > Simulation.clientCount * Simulation.callCountPerClient)
    }

    @Test("the seeds see every end that a call can have, and every fault")
    func coverage() {
        var seen = ""
        for seed in 0..<UInt64(30) {
            let simulation = Simulation(seed: seed, isTraced: true)
            simulation.run()
            seen += simulation.trace.joined(separator: "\n")
        }
        let events = [
            ": reply", "no reply in time", "cancelled", "no connection", "too many calls",
            "unavailable: the server hung up", "unavailable: the connection broke", "drained",
            "dies", "drains", "parted", "goes silent", "is reset",
        ]
        #expect(events.filter { !seen.contains($0) } == [])
    }

    @Test(
        "a machine that does wrong is found out",
        arguments: [
            Simulation.Sabotage.ignoresTimers, .leaksConnections, .confusesReplies,
        ]
    )
    func sabotage(kind: Simulation.Sabotage) {
        let failures = (0..<UInt64(20)).flatMap { seed in
            let simulation = Simulation(seed: seed, sabotage: kind)
            simulation.run()
            return simulation.failures
        }
        #expect(!failures.isEmpty)
    }
}
