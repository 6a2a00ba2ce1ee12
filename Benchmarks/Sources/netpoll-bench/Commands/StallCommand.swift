import ArgumentParser
import EchoService
import NetpollCore
import NetpollRPC

/// What handlers that block their threads do to the calls beside them.
struct StallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stall",
        abstract: "Measures fast calls while some calls block their thread for 50 ms.",
        discussion: """
            Rounds without and with blocking calls take turns against one server. Only the calls \
            that do not block are counted. Fast callers pause between calls, so that the machine is \
            not saturated and latency shows the stalls; blocking ones come from callers of their own.
            """
    )

    @Option(help: "Callers of fast calls.")
    var concurrency = 50
    @Option(help: "Fast calls per second, all callers together.")
    var rate = 5000
    @Option(help: "The share of all calls that block, in percent.")
    var blocking = 1.0
    @Option(help: "Seconds of a round.")
    var seconds = 3.0
    @Option(help: "How many rounds of each kind.")
    var rounds = 3
    @Option(help: "Multiplexed connections.")
    var mux = 2
    @Option(help: "A file for the results as JSON; keys end with their units.")
    var json: String?

    func run() async throws {
        var results = Results()
        results.measurements = try await measure()
        for row in results.measurements {
            let values = ["p50_us", "p99_us", "p99_9_us"].map { fixed(row[$0] ?? .nan, 0) }
            let calls = fixed(row["calls_per_second"] ?? .nan, 0)
            print(
                "  \(row.part ?? ""): p50 \(values[0]), p99 \(values[1]), p99.9 \(values[2]) us; \(calls) fast calls/s"
            )
        }
        let (calm, stalled) = (results.measurements[0], results.measurements[1])
        print("  p99 ratio \(fixed(stalled.ratio(of: "p99_us", to: calm) ?? .nan, 2))")
        try results.write(to: json)
    }

    /// A row without blocking calls and one with them.
    func measure() async throws -> [Measurement] {
        let port = try await freePort()
        let address = SocketAddress.tcp(host: "127.0.0.1", port: port)
        let server = try Child("netpoll-bench", ["rpc-server", "--listen", "\(address)"])
        defer { server.end() }
        _ = try server.line()
        let group = try EventLoopGroup(count: 2)
        var options = RPCClientOptions()
        options.connections = .multiplexed(count: mux)
        let client = try RPCClient(to: address, options: options, group: group)
        let echo = Echo_EchoClient(client)
        var calm: [Tally] = []
        var stalled: [Tally] = []
        for _ in 0..<rounds {
            calm.append(try await round(echo, group, isStalled: false))
            stalled.append(try await round(echo, group, isStalled: true))
        }
        await client.close()
        await group.shutdown()
        return [row("without", 0, calm), row("with \(blocking)% blocking", blocking, stalled)]
    }

    private func row(_ name: String, _ percent: Double, _ rounds: [Tally]) -> Measurement {
        var row = Measurement(
            "stall",
            Trials.ours,
            ["callers": Double(concurrency), "blocking_percent": percent]
        )
        row.part = name
        row.values = [
            "calls_per_second": rounds.map { Double($0.succeeded) / seconds }.median,
            "p50_us": rounds.map { $0.microseconds(50) }.median,
            "p99_us": rounds.map { $0.microseconds(99) }.median,
            "p99_9_us": rounds.map { $0.microseconds(99.9) }.median,
        ]
        row.rounds["p99_us"] = rounds.map { $0.microseconds(99) }
        return row
    }

    private func round(_ echo: Echo_EchoClient, _ group: EventLoopGroup, isStalled: Bool)
        async throws
        -> Tally
    {
        // Callers come to rest first: making their histograms alone takes a while.
        let start = Deadline.after(.milliseconds(500))
        let end = start.advanced(by: .seconds(seconds))
        let fastGap = Duration.seconds(Double(concurrency) / Double(rate))
        return try await withThrowingTaskGroup(of: Tally.self) { tasks in
            for caller in 0..<concurrency {
                let loop = group.loops[caller % group.loops.count]
                tasks.addTask(executorPreference: loop) {
                    try await call(echo, "fast", every: fastGap, from: start, until: end, loop)
                }
            }
            if isStalled {
                let perSecond = Double(rate) * blocking / 100
                // Each blocked caller waits 50 ms and more: enough of them to keep the rate.
                let callers = max(1, Int(perSecond * 0.06) + 1)
                let gap = Duration.seconds(Double(callers) / perSecond)
                for caller in 0..<callers {
                    let loop = group.loops[caller % group.loops.count]
                    tasks.addTask(executorPreference: loop) {
                        _ = try await call(echo, "block", every: gap, from: start, until: end, loop)
                        return Tally()
                    }
                }
            }
            return try await tasks.reduce(into: Tally()) { $0.add($1) }
        }
    }

    /// Calls at fixed times; one that is not over by the time of the next delays that.
    private func call(
        _ echo: Echo_EchoClient,
        _ action: String,
        every gap: Duration,
        from start: Deadline,
        until end: Deadline,
        _ loop: EventLoop
    ) async throws -> Tally {
        var tally = Tally()
        let request = Echo_EchoRequest.with {
            $0.action = action
            $0.msg = String(repeating: "x", count: 1024)
        }
        var next = Deadline.after(gap * Double.random(in: 0..<1))
        while next < end {
            try await loop.sleep(until: next)
            let begun = Deadline.now()
            let reply = try await echo.echo(request, timeout: .seconds(10))
            guard reply.msg == request.msg else { throw BenchError("another message came back") }
            // The timer's own lateness is the client's, not the server's.
            let taken = Deadline.now().uptimeNanoseconds - begun.uptimeNanoseconds
            if begun >= start { tally.record(taken, nil) }
            next = max(next.advanced(by: gap), .now())
        }
        return tally
    }
}
