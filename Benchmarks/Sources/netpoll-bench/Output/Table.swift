/// Columns of text, as wide as they need to be.
struct Table {
    private var rows: [[String]]

    init(_ header: [String]) { rows = [header] }

    mutating func add(_ row: [String]) { rows.append(row) }

    /// The first column is aligned to the left, the others to the right.
    var text: String {
        let widths = (0..<(rows.first?.count ?? 0)).map { column in
            rows.map { $0[column].count }.max() ?? 0
        }
        return rows.map { row in
            zip(row, widths).enumerated().map { column, cell in
                let padding = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 0 ? cell.0 + padding : padding + cell.0
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    /// Calls, latencies and costs of measurements.
    static func calls(_ measurements: [Measurement]) -> String {
        var table = Table([
            "server < client", "calls/s", "min", "max", "p50", "p99", "p99.9", "server us",
            "client us", "server sys", "client sys", "server mem", "client mem",
        ])
        for row in measurements {
            func cell(_ name: String, _ digits: Int) -> String {
                row[name].map { fixed($0, digits) } ?? "-"
            }
            table.add([
                row.client.map { "\(row.subject) < \($0)" } ?? row.subject,
                cell("calls_per_second", 0), cell("calls_per_second_min", 0),
                cell("calls_per_second_max", 0), cell("p50_us", 0), cell("p99_us", 0),
                cell("p99_9_us", 0), cell("server_cpu_us_per_call", 2),
                cell("client_cpu_us_per_call", 2), cell("server_system_calls_per_call", 3),
                cell("client_system_calls_per_call", 3), cell("server_allocations_per_call", 2),
                cell("client_allocations_per_call", 2),
            ])
        }
        return table.text
    }

    /// What the columns of ``calls(_:)`` mean, for --help.
    static let legend = """
        Columns: calls/s, the median of the rounds, and the least and most of them; p50, p99 and \
        p99.9, latencies in microseconds as the load sees them; server us and client us, CPU time of \
        each process for a call, user and system, in microseconds; sys, system calls for a call, \
        counted by perf in a run of its own ("-" without perf or the right to trace); mem, \
        allocations for a call, counted in another run ("-" for programs that do not count them).
        """
}
