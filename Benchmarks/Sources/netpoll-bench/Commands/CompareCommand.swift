import ArgumentParser
import Foundation

/// Everything, against its targets.
struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Runs all comparisons, prints each target beside what was measured, and plots.",
        discussion: """
            Writes results.json, targets.txt and plots as SVG to a folder. A ratio is the median of \
            the ratios of its rounds, in which all take turns on the same cores. Kitex does not run here: its rates \
            are those that were recorded on a machine of this kind. Scripts/compare builds all of it \
            first. Does not fail when a target is missed.
            """
    )

    @Option(help: "The folder for the results.")
    var output: String
    @Option(help: "The folder with the programs of Benchmarks/Peers; without it they are left out.")
    var peers: String?
    @Flag(help: "Fewer and shorter rounds, fewer points: to see that all of it runs.")
    var quick = false

    func run() async throws {
        try FileManager.default.createDirectory(
            atPath: output,
            withIntermediateDirectories: true
        )
        var run = Run(output: output)
        let long = ["--rounds", quick ? "1" : "5", "--seconds", quick ? "0.5" : "2"]
        let short = ["--rounds", quick ? "1" : "3", "--seconds", quick ? "0.5" : "1"]
        let programs = peers.map { ["--peers", $0] } ?? []

        try await run.add("raw echo, 1 KiB, 100 connections") {
            let rows = try await EchoCommand.parse(long + programs).measure()
            print("raw echo, 1 KiB, 100 connections\n\(Table.calls(rows))\n")
            return rows
        }
        try await run.add("unary calls") {
            let rows = try await RPCCommand.parse(long + programs).measure()
            print("unary calls, 1 KiB\n\(Table.calls(rows))\n")
            return rows
        }
        try await run.add("stall") {
            try await StallCommand.parse(["--rounds", quick ? "1" : "5"]).measure()
        }
        try await run.add("idle") { try await IdleCommand.parse([]).measure() }
        for axis in ScaleCommand.Axis.allCases {
            try await run.add("over \(axis.rawValue)") {
                var arguments = short + ["--over", axis.rawValue]
                if axis == .callers { arguments += programs }
                if quick { arguments += Self.fewPoints(axis) }
                let rows = try await ScaleCommand.parse(arguments).measure()
                try Plots.write(Plots.overview(rows, axis), to: "\(output)/\(axis.rawValue).svg")
                return rows
            }
        }
        for client in ["c", "swift"] {
            var rows: [Measurement] = []
            try await run.add("latency, \(client) client") {
                let shares = quick ? ["0.5"] : ["0.1", "0.25", "0.5"]
                let arguments = long + ["--client", client, "--shares"] + shares
                try await LatencyCommand.parse(arguments).measure { rows.append($0) }
                try Plots.write(Plots.latency(rows), to: "\(output)/latency-\(client).svg")
                return rows
            }
        }
        try run.finish()
    }

    /// What has been measured so far, and what could not be.
    private struct Run {
        let output: String
        private var results = Results()
        private var failures: [String] = []

        init(output: String) { self.output = output }

        /// One that fails does not keep the others from being measured.
        mutating func add(_ name: String, _ measure: () async throws -> [Measurement]) async throws
        {
            do {
                results.measurements += try await measure()
                StandardError.print("\(name): done")
            } catch {
                failures.append("\(name): \(error)")
                StandardError.print("FAILED: \(name): \(error)")
            }
            try results.write(to: "\(output)/results.json")
            fflush(nil)
        }

        func finish() throws {
            let targets = Targets(results.measurements).text
            print("targets\n\(targets)")
            let file = URL(fileURLWithPath: "\(output)/targets.txt")
            try Data((targets + "\n").utf8).write(to: file)
            guard failures.isEmpty else {
                throw BenchError("not measured:\n\(failures.joined(separator: "\n"))")
            }
        }
    }

    private static func fewPoints(_ axis: ScaleCommand.Axis) -> [String] {
        let points =
            switch axis {
            case .connections: [10, 10_000]
            case .callers: [1, 100]
            case .size: [1024, 1 << 20]
            }
        return points.flatMap { ["--points", "\($0)"] }
    }
}
