import ArgumentParser
import EchoService
import Glibc
import Histogram
import NetpollCore
import NetpollRPC
import Synchronization

/// Closed-loop load: each caller sends its next call when the last one has ended.
struct RPCClientCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rpc-client",
        abstract: "Loads an rpc-server and reports rates and latencies.",
        discussion: """
            Latency is the time of one call as its caller sees it. A closed loop sends less while the \
            server is slow, so its percentiles say nothing of a fixed rate.
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
    @Flag(help: "Print the result as one line of JSON.")
    var json = false

    func validate() throws {
        guard mux == nil || pooled == nil else { throw ValidationError("choose --mux or --pooled") }
        guard concurrency > 0, duration > 0, size >= 0, (mux ?? 1) > 0, (pooled ?? 1) > 0 else {
            throw ValidationError("counts must be positive")
        }
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
        let load = Load(echo: Echo_EchoClient(client), method: method, size: size)
        try load.checkMethod()
        let result = await measure(load, group)
        await client.close()
        print(json ? result.json : result.table)
    }

    private func measure(_ load: Load, _ group: EventLoopGroup) async -> Report {
        let start = Deadline.after(.seconds(1))
        let end = start.advanced(by: .seconds(duration))
        return await withTaskGroup(of: Tally.self) { tasks in
            for caller in 0..<concurrency {
                let loop = group.loops[caller % group.loops.count]
                tasks.addTask(executorPreference: loop) { await load.run(from: start, until: end) }
            }
            async let cpuTime = watch(load, group, start, end)
            let tally = await tasks.reduce(into: Tally()) { $0.add($1) }
            return Report(
                command: self,
                tally: tally,
                seconds: duration,
                cpuSeconds: await cpuTime
            )
        }
    }

    /// Prints a line each second on standard error; returns the CPU time of the measured span.
    private func watch(
        _ load: Load,
        _ group: EventLoopGroup,
        _ start: Deadline,
        _ end: Deadline
    ) async -> Double {
        // Nobody cancels the benchmark's own task, so sleeping does not fail.
        try? await group.loops[0].sleep(until: start)
        let cpuStart = CPUTime.now()
        var last = load.completed.load(ordering: .relaxed)
        var tick = start.advanced(by: .seconds(1))
        while tick <= end {
            try? await group.loops[0].sleep(until: tick)
            let now = load.completed.load(ordering: .relaxed)
            StandardError.print("  \(now - last) calls/s")
            last = now
            tick = tick.advanced(by: .seconds(1))
        }
        try? await group.loops[0].sleep(until: end)
        return CPUTime.now() - cpuStart
    }
}

/// The process's own CPU time in seconds, user and system.
enum CPUTime {
    static func now() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}
