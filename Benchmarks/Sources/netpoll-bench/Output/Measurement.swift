import Foundation

/// One row of results: what was measured, how, and what came out.
struct Measurement: Codable, Sendable {
    /// The subcommand, or its part.
    let benchmark: String
    /// Which of several things the benchmark measures.
    var part: String?
    /// Whose server.
    let subject: String
    /// Whose load.
    var client: String?
    /// The conditions: connections, callers, size_bytes, and so on.
    var conditions: [String: Double]
    /// The results, by names that end with their units; medians of the rounds.
    var values: [String: Double]
    /// What each round measured, in their order.
    var rounds: [String: [Double]] = [:]

    subscript(_ name: String) -> Double? { values[name] }

    /// Bytes of messages that are answered in a second.
    var bytesPerSecond: Double {
        (values["calls_per_second"] ?? 0) * (conditions["size_bytes"] ?? 0)
    }

    init(
        _ benchmark: String,
        _ subject: String,
        client: String? = nil,
        _ conditions: [String: Double],
        _ values: [String: Double] = [:]
    ) {
        self.benchmark = benchmark
        self.subject = subject
        self.client = client
        self.conditions = conditions
        self.values = values
    }

    mutating func set(_ results: [Round]) {
        rounds = [
            "calls_per_second": results.map(\.callsPerSecond),
            "p50_us": results.map(\.p50),
            "p99_us": results.map(\.p99),
            "p99_9_us": results.map(\.p999),
            "server_cpu_us_per_call": results.map(\.serverCPU),
            "client_cpu_us_per_call": results.map(\.clientCPU),
        ]
        values.merge(rounds.mapValues(\.median)) { $1 }
        values["calls_per_second_min"] = rounds["calls_per_second"]?.min()
        values["calls_per_second_max"] = rounds["calls_per_second"]?.max()
    }

    /// The median of the rounds' ratios to another row's rounds of the same contest.
    func ratio(of name: String, to other: Measurement) -> Double? {
        guard let own = rounds[name], let others = other.rounds[name], own.count == others.count,
            !own.isEmpty, others.allSatisfy({ $0 > 0 })
        else { return nil }
        return zip(own, others).map { $0 / $1 }.median
    }

    mutating func set(_ counts: Counts) {
        values["server_system_calls_per_call"] = counts.serverSystemCalls
        values["client_system_calls_per_call"] = counts.clientSystemCalls
        values["server_allocations_per_call"] = counts.serverAllocations
        values["client_allocations_per_call"] = counts.clientAllocations
    }
}

/// All rows of a run and the machine they are from.
struct Results: Codable, Sendable {
    var machine = Machine()
    var measurements: [Measurement] = []

    func write(to path: String?) throws {
        guard let path else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(self).write(to: URL(fileURLWithPath: path))
    }
}

/// What a figure is worth nothing without.
struct Machine: Codable, Sendable {
    var cores = ProcessInfo.processInfo.activeProcessorCount
    var processor = Self.processor
    var system = ProcessInfo.processInfo.operatingSystemVersionString
    var date = ISO8601DateFormatter().string(from: Date())
    /// Runnable threads just before, averaged over a minute: what else the machine did.
    var load = Self.load

    private static var processor: String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line.flatMap { $0.split(separator: ":").last }?
            .trimmingCharacters(in: .whitespaces) ?? ""
    }

    private static var load: Double {
        let text = (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)) ?? ""
        return text.split(separator: " ").first.flatMap { Double($0) } ?? 0
    }
}
