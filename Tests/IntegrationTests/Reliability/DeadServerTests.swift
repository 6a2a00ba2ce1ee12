import NetpollCore
import NetpollProtobuf
import NetpollRPC
import Synchronization
import TestProtos
import TestSupport
import Testing

@Suite("Server processes that stop, die and come back", .timeLimit(.minutes(2)))
struct DeadServerTests {
    /// A port that was free a moment ago.
    private static func freePort() throws -> Int { try RawListener().port }

    private static func peer(_ port: Int) async throws -> ChildProcess {
        try await blocking { try ChildProcess("echo-peer", "tcp://127.0.0.1:\(port)") }
    }

    // Row B9.
    @Test(
        "calls to a stopped process end at their deadline, other servers are unaffected",
        arguments: [RPCClientOptions.Connections.multiplexed(count: 1), .pooled(limit: 8)]
    )
    func stopped(mode: RPCClientOptions.Connections) async throws {
        let port = try Self.freePort()
        let peer = try await Self.peer(port)
        let fixture = try Fixture()
        var options = RPCClientOptions()
        options.connections = mode
        let stopped = Echo_EchoClient(
            try RPCClient(to: .local(port), options: options, group: fixture.loops)
        )
        let healthy = try fixture.echo(mode)
        _ = try await stopped.echo(.init())
        _ = try await healthy.echo(.init())
        peer.pause()
        let calls = (0..<8).map { _ in
            Task {
                let start = ContinuousClock.now
                let error = await #expect(throws: RPCError.self) {
                    try await stopped.echo(.init(), timeout: .milliseconds(300))
                }
                return (error?.code, ContinuousClock.now - start)
            }
        }
        var slowest = Duration.zero
        for _ in 0..<100 {
            let start = ContinuousClock.now
            _ = try await healthy.echo(.init())
            slowest = max(slowest, ContinuousClock.now - start)
        }
        for call in calls {
            let (code, took) = await call.value
            #expect(code == .deadlineExceeded)
            #expect(took >= .milliseconds(300))
            #expect(took < .milliseconds(1300))
        }
        #expect(slowest < .milliseconds(300))
        peer.resume()
        #expect(try await stopped.echo(.with { $0.msg = "back" }).msg == "back")
        peer.end()
        await fixture.stop()
    }

    // Row B5.
    @Test(
        "under load, killing the server fails only what is in flight, and its successor is found",
        arguments: [RPCClientOptions.Connections.multiplexed(count: 2), .pooled(limit: 8)]
    )
    func killedAndRestarted(mode: RPCClientOptions.Connections) async throws {
        let port = try Self.freePort()
        let first = try await Self.peer(port)
        let loops = try EventLoopGroup(count: 1)
        var options = RPCClientOptions()
        options.connections = mode
        options.timeout = .seconds(20)
        let echo = Echo_EchoClient(try RPCClient(to: .local(port), options: options, group: loops))
        let log = Log()
        let workers = (0..<8).map { worker in
            Task {
                while !log.isDone {
                    do {
                        let text = "\(worker)"
                        let reply = try await echo.echo(.with { $0.msg = text })
                        log.count(reply.msg == text ? nil : "mismatch")
                    } catch {
                        log.count("\((error as? RPCError)?.code as Any)")
                        // Without a server each failure is fast.
                        try await loops.loops[0].sleep(until: .after(.milliseconds(1)))
                    }
                }
            }
        }
        try await eventually("calls succeed") { log.succeeded > 200 }
        #expect(log.errors.isEmpty)
        first.end()
        try await eventually("calls fail") { !log.errors.isEmpty }
        let second = try await Self.peer(port)
        let start = Deadline.now()
        let before = log.succeeded
        try await eventually("calls succeed again") { log.succeeded > before + 8 }
        #expect(Deadline.now().timeRemaining(from: start) < .seconds(1))
        let failures = log.errors
        try await eventually("more calls succeed") { log.succeeded > before + 200 }
        log.finish()
        for worker in workers { try await worker.value }
        #expect(log.errors == failures, "no failure once the successor was found")
        #expect(failures.keys.allSatisfy { $0.contains("unavailable") }, "\(failures)")
        second.end()
        await loops.shutdown()
    }

    /// What became of the calls of all workers.
    private final class Log: Sendable {
        private struct State {
            var succeeded = 0
            var errors: [String: Int] = [:]
            var isDone = false
        }
        private let state = Locked(State())

        var succeeded: Int { state.withLock { $0.succeeded } }
        var errors: [String: Int] { state.withLock { $0.errors } }
        var isDone: Bool { state.withLock { $0.isDone } }

        func finish() { state.withLock { $0.isDone = true } }

        func count(_ error: String?) {
            state.withLock { state in
                if let error {
                    state.errors[error, default: 0] += 1
                } else {
                    state.succeeded += 1
                }
            }
        }
    }
}
