import Foundation

/// A server and the load on it, each a process of its own.
struct Trial: Sendable {
    /// Who is measured, as tables and files name it.
    let subject: String
    /// Which client makes the load.
    let client: String
    /// The server that listens on a port of this machine and prints a line when it is ready.
    let server: @Sendable (_ port: Int) -> Program
    /// The load for so many seconds: prints "begin" when the measured span begins and a
    /// ``LoadResult`` after it; ends with another status than 0 if any call failed.
    let load: @Sendable (_ port: Int, _ seconds: Double) -> Program

    /// Runs both once and measures rate, latency and CPU time.
    func measure(seconds: Double) async throws -> Round {
        let port = try await freePort()
        let server = try Child(server(port))
        defer { server.end() }
        _ = try server.line()
        let client = try Child(load(port, seconds))
        defer { client.end() }
        guard try client.line() == "begin" else { throw BenchError("the client did not begin") }
        let before = try server.cpuSeconds()
        let result = try LoadResult(line: try client.line())
        let serverCPU = try server.cpuSeconds() - before
        try client.wait()
        guard result.calls > 0 else { throw BenchError("\(subject): no call ended in time") }
        return Round(
            callsPerSecond: result.calls / result.seconds,
            p50: result.p50,
            p99: result.p99,
            p999: result.p999,
            serverCPU: serverCPU / result.calls * 1e6,
            clientCPU: result.cpuSeconds / result.calls * 1e6
        )
    }

    /// Runs both twice, once to count system calls and once to count allocations: the counting
    /// disturbs the times, so that they are measured apart.
    func count(seconds: Double) async throws -> Counts {
        var counts = Counts()
        if SystemCallCounter.isAvailable {
            let calls = try await countSystemCalls(seconds: seconds)
            counts.serverSystemCalls = calls.server
            counts.clientSystemCalls = calls.client
        }
        try await countAllocations(seconds, &counts)
        return counts
    }

    /// The system calls of each process for a call.
    func countSystemCalls(seconds: Double) async throws -> (server: Double, client: Double) {
        let port = try await freePort()
        let server = try Child(server(port))
        defer { server.end() }
        _ = try server.line()
        let counter = try SystemCallCounter(load(port, seconds), server: server.processID)
        let client = try Child(counter.program)
        defer { client.end() }
        _ = try client.line()
        let result = try LoadResult(line: try client.line())
        try client.wait()
        let counts = try counter.read()
        return (counts.server / result.totalCalls, counts.client / result.totalCalls)
    }

    private func countAllocations(_ seconds: Double, _ counts: inout Counts) async throws {
        let port = try await freePort()
        let program = server(port)
        let serverFile = AllocationFile()
        let clientFile = AllocationFile()
        let server = try Child(program, counts: serverFile.path)
        defer { server.end() }
        _ = try server.line()
        // Only programs of this package that are written in Swift count their allocations.
        let before = try? serverFile.read()
        let client = try Child(load(port, seconds), counts: clientFile.path)
        defer { client.end() }
        _ = try client.line()
        let result = try LoadResult(line: try client.line())
        if let before {
            counts.serverAllocations = Double(try serverFile.read() - before) / result.totalCalls
        }
        counts.clientAllocations = result.allocations.map { $0 / result.calls }
        try client.wait()
    }
}

/// What a load says of itself.
struct LoadResult: Codable {
    /// The calls that ended in the measured span, and all since the start.
    var calls: Double
    var totalCalls: Double
    var seconds: Double
    /// Latencies in microseconds.
    var p50: Double
    var p99: Double
    var p999: Double
    /// The load's own CPU time in the span.
    var cpuSeconds: Double
    /// Its own allocations in the span, if it counts them.
    var allocations: Double?

    enum CodingKeys: String, CodingKey {
        case calls, seconds, allocations
        case totalCalls = "total_calls"
        case p50 = "p50_us"
        case p99 = "p99_us"
        case p999 = "p99_9_us"
        case cpuSeconds = "cpu_seconds"
    }

    init(
        calls: Int,
        totalCalls: Int,
        seconds: Double,
        tally: Tally,
        cpuSeconds: Double,
        allocations: Double?
    ) {
        self.calls = Double(calls)
        self.totalCalls = Double(totalCalls)
        self.seconds = seconds
        p50 = tally.microseconds(50)
        p99 = tally.microseconds(99)
        p999 = tally.microseconds(99.9)
        self.cpuSeconds = cpuSeconds
        self.allocations = allocations
    }

    init(line: String) throws {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(line.utf8))
        } catch {
            throw BenchError("a client said: \(line)")
        }
    }

    var line: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }
}

/// What one run of a trial measured; times in microseconds.
struct Round: Sendable {
    let callsPerSecond: Double
    let p50: Double
    let p99: Double
    let p999: Double
    let serverCPU: Double
    let clientCPU: Double
}

/// What a call costs of countable things.
struct Counts: Sendable {
    var serverSystemCalls: Double?
    var clientSystemCalls: Double?
    var serverAllocations: Double?
    var clientAllocations: Double?
}
