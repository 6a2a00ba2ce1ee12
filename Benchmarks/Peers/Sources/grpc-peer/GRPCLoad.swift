import GRPCCore
import GRPCNIOTransportHTTP2
import GRPCProtobuf
import Glibc
import NIOPosix

/// Closed-loop load: each caller makes its next call when the last one has ended.
struct GRPCLoad: Sendable {
    let port: Int
    let connections: Int
    let callers: Int
    let size: Int
    let seconds: Int

    func run(on group: MultiThreadedEventLoopGroup) async throws {
        let executor = LoopExecutor(group)
        let loops = Array(group.makeIterator())
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            // One client is one connection; each stays on a loop.
            let clients = try (0..<connections).map { index in
                GRPCClient(
                    transport: try .http2NIOPosix(
                        target: .ipv4(address: "127.0.0.1", port: port),
                        transportSecurity: .plaintext,
                        eventLoopGroup: loops[index % loops.count]
                    )
                )
            }
            for client in clients {
                tasks.addTask(executorPreference: executor) { try await client.runConnections() }
            }
            try await measure(clients, executor)
            for client in clients { client.beginGracefulShutdown() }
            try await tasks.waitForAll()
        }
    }

    private func measure(
        _ clients: [GRPCClient<HTTP2ClientTransport.Posix>],
        _ executor: LoopExecutor
    ) async throws {
        let clock = ContinuousClock()
        let start = clock.now.advanced(by: .seconds(1))
        let end = start.advanced(by: .seconds(seconds))
        let (result, usage) = try await withThrowingTaskGroup(of: Calls.self) { tasks in
            for caller in 0..<callers {
                let client = clients[caller % clients.count]
                tasks.addTask(executorPreference: executor) {
                    try await call(client, from: start, until: end)
                }
            }
            try await clock.sleep(until: start)
            let before = cpuSeconds()
            print("begin")
            fflush(nil)
            try await clock.sleep(until: end)
            let usage = cpuSeconds() - before
            let result = try await tasks.reduce(into: Calls()) {
                $0.latencies += $1.latencies
                $0.total += $1.total
            }
            return (result, usage)
        }
        let sorted = result.latencies.sorted()
        func microseconds(_ quantile: Double) -> Double {
            guard let last = sorted.last else { return 0 }
            let index = Int(Double(sorted.count) * quantile)
            return (index < sorted.count ? sorted[index] : last) / .microseconds(1)
        }
        print(
            """
            {"calls":\(sorted.count),"total_calls":\(result.total),"seconds":\(seconds),\
            "p50_us":\(microseconds(0.5)),"p99_us":\(microseconds(0.99)),\
            "p99_9_us":\(microseconds(0.999)),"cpu_seconds":\(usage)}
            """
        )
    }

    /// One caller: makes its next call when the last one has ended.
    private func call(
        _ client: GRPCClient<HTTP2ClientTransport.Posix>,
        from start: ContinuousClock.Instant,
        until end: ContinuousClock.Instant
    ) async throws -> Calls {
        let message = Echo_EchoRequest.with {
            $0.action = "hi"
            $0.msg = String(repeating: "x", count: size)
        }
        var calls = Calls()
        var before = ContinuousClock.now
        while before < end {
            let reply = try await client.unary(
                request: ClientRequest(message: message),
                descriptor: echoMethod,
                serializer: ProtobufSerializer<Echo_EchoRequest>(),
                deserializer: ProtobufDeserializer<Echo_EchoResponse>(),
                options: .defaults
            ) { try $0.message }
            guard reply.msg == message.msg else { throw Mismatch() }
            let after = ContinuousClock.now
            calls.total += 1
            if before >= start, after <= end { calls.latencies.append(after - before) }
            before = after
        }
        return calls
    }
}

/// What callers saw.
private struct Calls: Sendable {
    /// Of the calls in the measured span.
    var latencies: [Duration] = []
    /// All calls, the warm-up included.
    var total = 0
}

/// The CPU time of this process so far.
private func cpuSeconds() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// Another message came back than was sent.
struct Mismatch: Error {}
