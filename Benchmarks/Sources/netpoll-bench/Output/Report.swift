import Glibc

/// The result of a load, for people and for programs.
struct Report {
    let command: RPCClientCommand
    let tally: Tally
    let totalCalls: Int
    let usage: Usage

    private var calls: Int { tally.succeeded + tally.errors.values.reduce(0, +) }
    private var perCall: Double { calls == 0 ? 0 : 1 / Double(calls) }

    var errors: String {
        tally.errors.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
            .joined(separator: ", ")
    }

    var result: LoadResult {
        LoadResult(
            calls: calls,
            totalCalls: totalCalls,
            seconds: command.duration,
            tally: tally,
            cpuSeconds: usage.cpuSeconds,
            allocations: usage.allocations == 0 ? nil : Double(usage.allocations)
        )
    }

    var table: String {
        let connections = command.pooled.map { "pooled \($0)" } ?? "mux \(command.mux ?? 2)"
        let load =
            command.rate.map { "\(fixed($0, 0)) calls/s" } ?? "\(command.concurrency) callers"
        var lines = [
            "\(command.method), \(command.size) B, \(load), \(connections), \(command.duration) s",
            "  calls/s           \(fixed(Double(calls) / command.duration, 0))",
            "  p50               \(fixed(tally.microseconds(50), 1)) us",
            "  p99               \(fixed(tally.microseconds(99), 1)) us",
            "  p99.9             \(fixed(tally.microseconds(99.9), 1)) us",
            "  client CPU/call   \(fixed(usage.cpuSeconds * perCall * 1e6, 2)) us",
        ]
        if usage.allocations > 0 {
            lines.append("  allocations/call  \(fixed(Double(usage.allocations) * perCall, 2))")
        }
        lines.append("  errors            \(errors.isEmpty ? "none" : errors)")
        return lines.joined(separator: "\n")
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
