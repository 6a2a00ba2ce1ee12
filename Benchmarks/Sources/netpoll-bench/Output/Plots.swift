import Foundation

/// The plots of the benchmarks.
enum Plots {
    /// Throughput, latency or cost over what a `scale` run varied.
    static func overview(_ rows: [Measurement], _ axis: ScaleCommand.Axis) -> [Plot] {
        switch axis {
        case .callers:
            [
                plot("Unary calls, 1 KiB", "callers", "calls/s", rows, "callers") {
                    $0["calls_per_second"]
                },
                plot("Latency of unary calls, 1 KiB", "callers", "p99, us", rows, "callers") {
                    $0["p99_us"]
                },
            ]
        case .connections:
            [
                plot(
                    "Server CPU, max(10, 1 %) of the connections active",
                    "connections",
                    "us for a call",
                    rows.filter {
                        $0.conditions["connections"] != 100
                            || $0.conditions["active"] == 10
                    },
                    "connections"
                ) { $0["server_cpu_us_per_call"] }
            ]
        case .size:
            [
                plot("Throughput over the message's size", "bytes", "MiB/s", rows, "size_bytes") {
                    $0.bytesPerSecond / 1_048_576
                }
            ]
        }
    }

    /// Latency of an open loop over the rate.
    static func latency(_ rows: [Measurement]) -> [Plot] {
        let open = rows.filter { $0.conditions["share"] != nil && $0.subject == Trials.ours }
        let lines = [("p50_us", "p50"), ("p99_us", "p99"), ("p99_9_us", "p99.9")].map { key, name in
            let points = open.map {
                (x: $0.conditions["intended_per_second"] ?? 0, y: $0[key] ?? 0)
            }
            return Plot.Line(name: name, points: points)
        }
        return [
            Plot(title: "Open loop", xLabel: "calls/s", yLabel: "latency, us", lines: lines)
        ]
    }

    static func write(_ plots: [Plot], to path: String) throws {
        try Data(Plot.page(plots).utf8).write(to: URL(fileURLWithPath: path))
    }

    private static func plot(
        _ title: String,
        _ xLabel: String,
        _ yLabel: String,
        _ rows: [Measurement],
        _ x: String,
        _ y: (Measurement) -> Double?
    ) -> Plot {
        var names: [String] = []
        var points: [String: [(x: Double, y: Double)]] = [:]
        for row in rows {
            guard let value = y(row), let at = row.conditions[x] else { continue }
            let name = "\(row.part.map { "\($0): " } ?? "")\(row.subject)"
            if points[name] == nil { names.append(name) }
            points[name, default: []].append((at, value))
        }
        let lines = names.map { name in
            Plot.Line(name: name, points: (points[name] ?? []).sorted { $0.x < $1.x })
        }
        return Plot(title: title, xLabel: xLabel, yLabel: yLabel, lines: lines)
    }
}
