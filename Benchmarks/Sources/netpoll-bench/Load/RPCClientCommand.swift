import ArgumentParser
import EchoService
import Glibc
import NetpollCore
import NetpollRPC
import c_malloc_counter

/// Load on an rpc-server.
struct RPCClientCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rpc-client",
        abstract: "Loads an rpc-server and reports rates and latencies.",
        discussion: """
            A closed loop by default: each caller makes its next call when the last one has ended, \
            and latency is the time of one call as its caller sees it. A closed loop sends less while \
            the server is slow, so its percentiles say nothing of a fixed rate. With --rate calls \
            begin at fixed times, and latency counts from the time a call was meant to begin.

            Ends with status 1 if a call failed or another message came back than was sent; \
            --method fail expects each call to fail.
            """
    )

    @Option(help: "The server: tcp://HOST:PORT or unix:///PATH.")
    var connect: String
    @Option(help: "Share N multiplexed connections (the default, with N = 2).")
    var mux: Int?
    @Option(help: "Use a pool of at most N connections, one call at a time on each.")
    var pooled: Int?
    @Option(help: "How many callers.")
    var concurrency = 100
    @Option(help: "Calls per second, instead of callers that wait for their replies.")
    var rate: Double?
    @Option(help: "How long to measure, in seconds, after one second of warm-up.")
    var duration = 5.0
    @Option(help: "Bytes of the message's text.")
    var size = 1024
    @Option(help: "What to call: echo, fail, or sleep:MILLISECONDS.")
    var method = "echo"
    @Option(help: "How long a call may take, in milliseconds.")
    var timeoutMs = 5000
    @Option(help: "How many event loops to use; by default one for each core.")
    var loops: Int = EventLoopGroup.coreCount
    @Flag(
        help: ArgumentHelp(
            "Print \"begin\" when the measured span begins, and the result as a line of JSON.",
            discussion: "Times are in microseconds, where keys do not say seconds."
        )
    )
    var json = false

    func validate() throws {
        guard mux == nil || pooled == nil else { throw ValidationError("choose --mux or --pooled") }
        guard Load.Method(method) != nil else {
            throw ValidationError("--method is echo, fail or sleep:MILLISECONDS")
        }
        guard concurrency > 0, duration > 0, size >= 0, (mux ?? 1) > 0, (pooled ?? 1) > 0,
            (rate ?? 1) > 0, loops > 0
        else { throw ValidationError("counts must be positive") }
    }

    func run() async throws {
        let group = try EventLoopGroup(count: loops)
        var options = RPCClientOptions()
        options.timeout = .milliseconds(timeoutMs)
        options.connections = pooled.map { .pooled(limit: $0) } ?? .multiplexed(count: mux ?? 2)
        let client = try RPCClient(
            to: SocketAddress(parsing: connect),
            options: options,
            group: group
        )
        let load = Load(
            echo: Echo_EchoClient(client),
            method: Load.Method(method) ?? .echo,
            size: size
        )
        let report = try await measure(load, group)
        await client.close()
        await group.shutdown()
        if !json { StandardError.print("\(group.statistics.takeOvers) loops taken over") }
        print(json ? try report.result.line : report.table)
        let failed = load.failed.load(ordering: .relaxed)
        guard failed == 0 else { throw BenchError("\(failed) calls failed: \(report.errors)") }
    }

    private func measure(_ load: Load, _ group: EventLoopGroup) async throws -> Report {
        let start = Deadline.after(.seconds(1))
        let end = start.advanced(by: .seconds(duration))
        async let usage = watch(load, group, start, end)
        let tally: Tally
        if let rate {
            let loop = OpenLoop(load: load, loops: group.loops, callsPerSecond: rate)
            tally = try await loop.run(from: start, until: end)
        } else {
            let tallies = group.loops.map { _ in SharedTally() }
            await withTaskGroup(of: Void.self) { tasks in
                for caller in 0..<concurrency {
                    let index = caller % group.loops.count
                    tasks.addTask(executorPreference: group.loops[index]) {
                        await load.run(from: start, until: end, tallies[index])
                    }
                }
            }
            tally = SharedTally.sum(tallies)
        }
        return Report(
            command: self,
            tally: tally,
            totalCalls: load.completed.load(ordering: .relaxed),
            usage: await usage
        )
    }

    /// Prints a line each second on standard error; returns what the measured span cost.
    private func watch(
        _ load: Load,
        _ group: EventLoopGroup,
        _ start: Deadline,
        _ end: Deadline
    ) async -> Usage {
        // Nobody cancels the benchmark's own task, so sleeping does not fail.
        try? await group.loops[0].sleep(until: start)
        let before = Usage.now()
        if json {
            print("begin")
            fflush(nil)
        }
        var last = load.completed.load(ordering: .relaxed)
        var tick = start.advanced(by: .seconds(1))
        while tick <= end {
            try? await group.loops[0].sleep(until: tick)
            let now = load.completed.load(ordering: .relaxed)
            if !json { StandardError.print("  \(now - last) calls/s") }
            last = now
            tick = tick.advanced(by: .seconds(1))
        }
        try? await group.loops[0].sleep(until: end)
        return Usage.now() - before
    }
}

/// What this process has used so far, or in a span.
struct Usage: Sendable {
    /// CPU time, user and system.
    let cpuSeconds: Double
    /// 0 if they are not counted.
    let allocations: UInt64

    static func now() -> Usage {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return Usage(
            cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
            allocations: malloc_counter_total()
        )
    }

    static func - (left: Usage, right: Usage) -> Usage {
        Usage(
            cpuSeconds: left.cpuSeconds - right.cpuSeconds,
            allocations: left.allocations - right.allocations
        )
    }
}
