import ArgumentParser

/// How figures change with the number of connections, of callers, and with the size of messages.
struct ScaleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale",
        abstract:
            "Measures over the number of connections, of callers, or over the message's size.",
        discussion: """
            connections: one call under way on each of max(10, 1 %) of them, 1 KiB; the C load, raw \
            echo and unary calls, beside the C servers. A row with 100 connections and all of them \
            active has the same load as the one with 10,000.
            callers: unary calls, 1 KiB, on two multiplexed connections, and pooled; beside C on both \
            sides, and with --peers beside gRPC Swift 2.
            size: raw echo on 10 connections, and unary calls of 16 callers on two connections under \
            the C load, beside the C servers.

            \(Table.legend)
            """
    )

    enum Axis: String, CaseIterable, ExpressibleByArgument { case connections, callers, size }

    @OptionGroup var options: RunOptions
    @Option(help: "connections, callers or size.")
    var over: Axis
    @Option(help: "The points, instead of the usual ones.")
    var points: [Int] = []
    @Option(help: "Loops or threads of every program.")
    var threads = 2
    @Option(help: "A file for a plot, as SVG.")
    var plot: String?

    func run() async throws {
        var results = Results()
        results.measurements = try await measure()
        print("over \(over.rawValue), \(threads) threads a process")
        print(Self.table(results.measurements, over))
        try results.write(to: options.json)
        if let plot { try Plots.write(Plots.overview(results.measurements, over), to: plot) }
    }

    func measure() async throws -> [Measurement] {
        switch over {
        case .connections: try await connections()
        case .callers: try await callers()
        case .size: try await size()
        }
    }

    private func connections() async throws -> [Measurement] {
        let usual = [(10, 10), (100, 10), (1000, 10), (10_000, 100), (100, 100)]
        let chosen = points.map { ($0, min($0, max(10, $0 / 100))) }
        var contest = Contest("connections")
        for (count, active) in chosen.isEmpty ? usual : chosen {
            let echo = EchoLoad(threads: threads, connections: count, active: active)
            contest.add(echo.ours, echo.conditions, "echo")
            contest.add(echo.c, echo.conditions, "echo")
            var rpc = RPCLoad(threads: threads, connections: .pooled(active), callers: active)
            rpc.idle = count - active
            contest.add(rpc.cClient, rpc.conditions, "rpc")
            contest.add(rpc.cOnly, rpc.conditions, "rpc")
        }
        return try await run(contest)
    }

    private func callers() async throws -> [Measurement] {
        var contest = Contest("callers")
        for count in points.isEmpty ? [1, 3, 10, 30, 100, 300, 1000] : points {
            let mux = RPCLoad(threads: threads, connections: .mux(min(2, count)), callers: count)
            contest.add(mux.ours, mux.conditions, "mux")
            let pooled = RPCLoad(threads: threads, connections: .pooled(count), callers: count)
            contest.add(pooled.ours, pooled.conditions, "pooled")
            contest.add(mux.cOnly, mux.conditions, "mux")
            if let peers = options.peerPrograms {
                contest.add(mux.grpc(peers), mux.conditions, "mux")
            }
        }
        return try await run(contest)
    }

    private func size() async throws -> [Measurement] {
        var contest = Contest("size")
        for size in points.isEmpty ? (0...7).map({ 64 << (2 * $0) }) : points {
            let echo = EchoLoad(threads: threads, connections: 10, active: 10, size: size)
            contest.add(echo.ours, echo.conditions, "echo")
            contest.add(echo.c, echo.conditions, "echo")
            let rpc = RPCLoad(threads: threads, connections: .mux(2), callers: 16, size: size)
            contest.add(rpc.cClient, rpc.conditions, "rpc")
            contest.add(rpc.cOnly, rpc.conditions, "rpc")
        }
        return try await run(contest)
    }

    private func run(_ contest: Contest) async throws -> [Measurement] {
        try await contest.run(rounds: options.rounds, seconds: options.seconds, counts: false)
    }

    private static func table(_ rows: [Measurement], _ axis: Axis) -> String {
        var table = Table([
            "server < client", axis.rawValue, "active", "calls/s", "MiB/s", "p50", "p99",
            "server us",
            "client us",
        ])
        for row in rows {
            func cell(_ name: String, _ digits: Int) -> String {
                (row.values[name] ?? row.conditions[name]).map { fixed($0, digits) } ?? "-"
            }
            table.add([
                "\(row.part ?? ""): \(row.subject) < \(row.client ?? "")",
                cell(axis == .size ? "size_bytes" : axis.rawValue, 0), cell("active", 0),
                cell("calls_per_second", 0),
                fixed(row.bytesPerSecond / 1_048_576, 1), cell("p50_us", 0), cell("p99_us", 0),
                cell("server_cpu_us_per_call", 2), cell("client_cpu_us_per_call", 2),
            ])
        }
        return table.text
    }
}
