import Glibc

/// The result of a run, for people and for programs.
struct Report {
    let command: RPCClientCommand
    let tally: Tally
    let seconds: Double
    let cpuSeconds: Double

    private var callsPerSecond: Double { Double(tally.succeeded) / seconds }
    private var cpuPerCall: Double {
        tally.succeeded == 0 ? 0 : cpuSeconds / Double(tally.succeeded) * 1e6
    }
    private var connections: String {
        command.pooled.map { "pooled \($0)" } ?? "mux \(command.mux ?? 2)"
    }

    var table: String {
        var lines = [
            "\(command.method), \(command.size) B, \(command.concurrency) callers, \(connections), \(seconds) s",
            "  calls/s           \(fixed(callsPerSecond, 0))",
            "  p50               \(fixed(tally.microseconds(50), 1)) us",
            "  p99               \(fixed(tally.microseconds(99), 1)) us",
            "  p99.9             \(fixed(tally.microseconds(99.9), 1)) us",
            "  client CPU/call   \(fixed(cpuPerCall, 2)) us",
            "  errors            \(tally.errors.values.reduce(0, +))",
        ]
        for (kind, count) in tally.errors.sorted(by: { $0.key < $1.key }) {
            lines.append("    \(kind): \(count)")
        }
        return lines.joined(separator: "\n")
    }

    /// One line; keys end with their units.
    var json: String {
        let errors = tally.errors.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
        let members = [
            "\"method\":\"\(command.method)\"", "\"size_bytes\":\(command.size)",
            "\"concurrency\":\(command.concurrency)", "\"connections\":\"\(connections)\"",
            "\"seconds\":\(seconds)", "\"calls_per_second\":\(fixed(callsPerSecond, 1))",
            "\"p50_us\":\(fixed(tally.microseconds(50), 1))",
            "\"p99_us\":\(fixed(tally.microseconds(99), 1))",
            "\"p99_9_us\":\(fixed(tally.microseconds(99.9), 1))",
            "\"client_cpu_per_call_us\":\(fixed(cpuPerCall, 3))",
            "\"succeeded\":\(tally.succeeded)",
            "\"errors\":{\(errors.joined(separator: ","))}",
        ]
        return "{\(members.joined(separator: ","))}"
    }

    private func fixed(_ value: Double, _ digits: Int) -> String {
        let scale = pow(10, Double(digits))
        let rounded = (value * scale).rounded() / scale
        return digits == 0 ? "\(Int(rounded))" : "\(rounded)"
    }
}

/// Standard error for lines that are not the result.
enum StandardError {
    static func print(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        // Nobody is left to tell when standard error cannot be written.
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
