import ArgumentParser
import EchoService
import Foundation
import NetpollCore
import NetpollRPC
import c_malloc_counter

/// Whether a call costs more than it may.
struct BudgetsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "budgets",
        abstract:
            "Fails when a warm unary call allocates more, or makes more system calls, than a file allows.",
        discussion: """
            Allocations are counted in both processes over N warm calls and over 2 N: the difference \
            is the cost of N calls, without that of beginning or of growing. System calls are counted \
            by perf in the kernel over a second of calls, if perf is here and may trace; else their \
            budgets are not checked, and a line says so. Cases: "alone", one caller on one \
            multiplexed connection; "pooled", one caller with a pool; "together", 100 callers on two \
            multiplexed connections, allocations only.

            An allocation figure may exceed its budget by 2 % and 0.05; those of "together", which \
            depend on how many calls meet in one turn, by 1; system calls by 0.4, less than one more.
            """
    )

    @Option(help: "The file with the budgets.")
    var file: String
    @Option(help: "N.")
    var calls = 5000
    @Flag(help: "Write what was measured to the file, instead of comparing.")
    var update = false

    /// Budgets of a case, by the names of what is counted.
    typealias Budgets = [String: [String: Double]]

    func run() async throws {
        let counts = AllocationFile()
        malloc_counter_share(counts.path)
        let cases: [(String, RPCLoad)] = [
            ("alone", RPCLoad(connections: .mux(1), callers: 1)),
            ("pooled", RPCLoad(connections: .pooled(1), callers: 1)),
            ("together", RPCLoad(connections: .mux(2), callers: 100)),
        ]
        var measured: Budgets = [:]
        for (name, load) in cases {
            var values = try await allocations(load)
            if load.callers == 1, SystemCallCounter.isAvailable {
                let counts = try await load.ours.countSystemCalls(seconds: 1)
                values["server_system_calls"] = counts.server
                values["client_system_calls"] = counts.client
            }
            measured[name] = values.mapValues { ($0 * 100).rounded() / 100 }
        }
        if update { return try write(measured) }
        try compare(measured, with: cases.map(\.0))
    }

    private func compare(_ measured: Budgets, with cases: [String]) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: file))
        let budgets = try JSONDecoder().decode(Budgets.self, from: data)
        var excesses = 0
        var table = Table(["a warm unary call", "measured", "budget", ""])
        for name in cases {
            for (what, budget) in (budgets[name] ?? [:]).sorted(by: { $0.key < $1.key }) {
                let label = "\(name): \(what.replacing("_", with: " "))"
                guard let value = measured[name]?[what] else {
                    table.add([label, "-", fixed(budget, 2), "not checked: no perf"])
                    continue
                }
                let tolerance =
                    name == "together"
                    ? 1 : what.hasSuffix("system_calls") ? 0.4 : budget * 0.02 + 0.05
                let isOver = value > budget + tolerance
                if isOver { excesses += 1 }
                let verdict =
                    isOver ? "OVER" : value < budget - 1.5 * tolerance ? "could be lower" : ""
                table.add([label, fixed(value, 2), fixed(budget, 2), verdict])
            }
        }
        print(table.text)
        guard excesses == 0 else {
            throw BenchError("\(excesses) figures are over their budgets in \(file)")
        }
    }

    private func write(_ measured: Budgets) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let text = String(decoding: try encoder.encode(measured), as: UTF8.self)
        try Data((text + "\n").utf8).write(to: URL(fileURLWithPath: file))
        print(text)
    }

    private func allocations(_ load: RPCLoad) async throws -> [String: Double] {
        let port = try await freePort()
        let counts = AllocationFile()
        let server = try Child(load.ours.server(port), counts: counts.path)
        defer { server.end() }
        _ = try server.line()
        let group = try EventLoopGroup(count: load.threads)
        var options = RPCClientOptions()
        switch load.connections {
        case .mux(let count): options.connections = .multiplexed(count: count)
        case .pooled(let limit): options.connections = .pooled(limit: limit)
        }
        let client = try RPCClient(
            to: .tcp(host: "127.0.0.1", port: port),
            options: options,
            group: group
        )
        let callers = Load(echo: Echo_EchoClient(client), method: .echo, size: load.size)
        func read() throws -> (Double, Double) {
            (Double(try counts.read()), Double(malloc_counter_total()))
        }
        let rounds = calls / load.callers
        try await call(callers, load.callers, rounds, group)
        let first = try read()
        try await call(callers, load.callers, rounds, group)
        let second = try read()
        try await call(callers, load.callers, 2 * rounds, group)
        let third = try read()
        await client.close()
        await group.shutdown()
        let count = Double(rounds * load.callers)
        return [
            "server_allocations": (third.0 - 2 * second.0 + first.0) / count,
            "client_allocations": (third.1 - 2 * second.1 + first.1) / count,
        ]
    }

    /// So many callers make so many calls each, one after the other.
    private func call(_ load: Load, _ callers: Int, _ rounds: Int, _ group: EventLoopGroup)
        async throws
    {
        await withTaskGroup(of: Void.self) { tasks in
            for caller in 0..<callers {
                let loop = group.loops[caller % group.loops.count]
                tasks.addTask(executorPreference: loop) {
                    for _ in 0..<rounds { _ = await load.call() }
                }
            }
        }
        let failed = load.failed.load(ordering: .relaxed)
        guard failed == 0 else { throw BenchError("\(failed) calls failed") }
    }
}
