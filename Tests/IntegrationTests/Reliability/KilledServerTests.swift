import NetpollCore
import NetpollProtobuf
import NetpollRPC
import NetpollTesting
import TestProtos
import TestSupport
import Testing

// Row B5.
@Suite("One server process of several is killed under load", .timeLimit(.minutes(2)))
struct KilledServerTests {
    private static func peer(_ port: Int) async throws -> ChildProcess {
        try await blocking { try ChildProcess("echo-peer", "tcp://127.0.0.1:\(port)") }
    }

    private struct Failure: Sendable {
        let code: RPCError.Code?
        let text: String
    }

    private final class Log: Sendable {
        private struct State {
            var served: [SocketAddress: Int] = [:]
            var failures: [Failure] = []
            var isDone = false
        }
        private let state = Locked(State())

        var failures: [Failure] { state.withLock { $0.failures } }
        var isDone: Bool { state.withLock { $0.isDone } }
        func served(_ port: Int) -> Int { state.withLock { $0.served[.local(port)] ?? 0 } }
        func finish() { state.withLock { $0.isDone = true } }
        func count(_ address: SocketAddress?) {
            guard let address else { return }
            state.withLock { $0.served[address, default: 0] += 1 }
        }
        func count(_ failure: Failure) { state.withLock { $0.failures.append(failure) } }
    }

    @Test(
        "only calls in flight there fail, each caller's at most once, and its successor is found",
        arguments: CallTests.modes
    )
    func oneOfSeveral(mode: RPCClientOptions.Connections) async throws {
        let ports = try (0..<3).map { _ in try RawListener().port }
        var peers: [ChildProcess] = []
        for port in ports { peers.append(try await Self.peer(port)) }
        let loops = try EventLoopGroup(count: 1)
        var options = RPCClientOptions()
        options.connections = mode
        let client = try RPCClient(
            resolver: StaticResolver(ports.map { .local($0) }),
            options: options,
            group: loops
        )
        let log = Log()
        let workers = (0..<16).map { worker in
            Task {
                while !log.isDone {
                    var options = CallOptions()
                    let info = ReplyInfo()
                    options.replyInfo = info
                    do {
                        let text = "\(worker)"
                        let request = Echo_EchoRequest.with { $0.msg = text }
                        let reply = try await Echo_EchoClient(client).echo(
                            request,
                            options: options
                        )
                        #expect(reply.msg == text)
                        log.count(info.address)
                    } catch {
                        log.count(Failure(code: (error as? RPCError)?.code, text: "\(error)"))
                    }
                }
            }
        }
        try await eventually("all serve") { ports.allSatisfy { log.served($0) > 100 } }
        #expect(log.failures.isEmpty)
        peers[0].end()
        let killed = ports.map { log.served($0) }
        try await eventually("the others go on") {
            zip(ports, killed).dropFirst().allSatisfy { log.served($0) > $1 + 500 }
        }
        let failures = log.failures
        // One call at a time for each worker: what is in flight at one server is no more.
        #expect(failures.count <= workers.count, "\(failures.count) failures")
        for failure in failures {
            #expect(failure.code == .unavailable)
            #expect(failure.text.contains(":\(ports[0])"), "\(failure.text)")
        }
        peers[0] = try await Self.peer(ports[0])
        let start = Deadline.now()
        let before = log.served(ports[0])
        try await eventually("the successor serves") { log.served(ports[0]) > before }
        let took = Deadline.now().timeRemaining(from: start)
        // The longest back-off with its jitter, and time for a busy machine.
        #expect(took < .milliseconds(600) + .milliseconds(400), "\(took)")
        try await eventually("it gets its share") { log.served(ports[0]) > before + 200 }
        #expect(log.failures.count == failures.count, "no failure besides those in flight")
        log.finish()
        for worker in workers { await worker.value }
        await client.close()
        for peer in peers { peer.end() }
        await loops.shutdown()
    }

    @Test("clients of a server that was away come back in time, and not together")
    func spread() async throws {
        let port = try RawListener().port
        let first = try await Self.peer(port)
        let clock = ManualClock()
        let loops = try EventLoopGroup(count: 1, options: clock.options)
        let clients = try (0..<16).map { _ in try RPCClient(to: .local(port), group: loops) }
        func succeeds(_ client: RPCClient) async -> Bool {
            (try? await Echo_EchoClient(client).echo(.init())) != nil
        }
        for client in clients { #expect(await succeeds(client)) }
        first.end()
        // Each calls every 10 ms for so long that it is at its longest back-off.
        for _ in 0..<300 {
            for client in clients { #expect(await succeeds(client) == false) }
            await clock.advance(by: .milliseconds(10))
        }
        let second = try await Self.peer(port)
        let start = clock.now()
        var away = clients
        var times: [Duration] = []
        while !away.isEmpty {
            var stillAway: [RPCClient] = []
            for client in away {
                if await succeeds(client) {
                    times.append(clock.now().timeRemaining(from: start))
                } else {
                    stillAway.append(client)
                }
            }
            away = stillAway
            await clock.advance(by: .milliseconds(10))
        }
        // The longest back-off and its jitter, and a step.
        #expect(times[15] <= .milliseconds(610), "\(times)")
        #expect(times[15] - times[0] >= .milliseconds(50), "\(times)")
        for client in clients { await client.close() }
        second.end()
        await loops.shutdown()
    }
}
