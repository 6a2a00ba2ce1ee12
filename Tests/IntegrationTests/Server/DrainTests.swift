import Glibc
import NetpollCore
import NetpollProtobuf
import NetpollServiceLifecycle
import NetpollTesting
import ServiceLifecycle
import Synchronization
import TestProtos
import TestSupport
import Testing
import UnixSignals

@testable import NetpollRPC

@Suite("Servers that end", .timeLimit(.minutes(2)))
struct DrainTests {
    @Test("a client that sends one call at a time is told by its last reply")
    func lastReply() async throws {
        let gate = Gate()
        let fixture = try HandlerFixture { _, _ in
            await gate.wait()
            return "done"
        }
        let port = fixture.port
        let server = fixture.server
        let raw = try await blocking {
            let raw = try RawSocket(port: port)
            try raw.send(try Frames.echo())
            return raw
        }
        try await eventually("the call runs") { server.callCount == 1 }
        let shutdown = Task { await server.shutdown() }
        try await eventually("the connection drains") {
            server.state.withLock { state in
                state.sessions.values.allSatisfy { $0.repliesAreLast.load(ordering: .relaxed) }
            }
        }
        gate.open()
        try await blocking {
            let answer = try raw.receiveAnswer()
            #expect(answer.type == .reply)
            #expect(answer.isLast)
            // What is sent before the reply was seen is served too.
            try raw.send(try Frames.echo(8))
            let second = try raw.receiveAnswer()
            #expect(second.sequenceID == 8)
            #expect(second.isLast)
            #expect(try raw.receiveEnd() == .finished)
            raw.close()
        }
        await shutdown.value
        await fixture.loops.shutdown()
    }

    @Test("a multiplexing client is told by a control frame, after its last reply")
    func controlFrame() async throws {
        let gate = Gate()
        let fixture = try HandlerFixture { _, _ in
            await gate.wait()
            return "done"
        }
        let port = fixture.port
        let server = fixture.server
        let raw = try await blocking {
            let raw = try RawSocket(port: port)
            for number in 1...3 {
                try raw.send(try Frames.echo(Int32(number), flags: WireFormat.outOfOrderFlag))
            }
            return raw
        }
        try await eventually("the calls run") { server.callCount == 3 }
        let shutdown = Task { await server.shutdown() }
        try await eventually("the server drains") { server.runningGroup == nil }
        for loop in fixture.loops.loops { await loop.turn() }
        gate.open()
        try await blocking {
            for _ in 1...3 {
                let answer = try raw.receiveAnswer()
                #expect(answer.type == .reply)
                #expect(!answer.isLast)
            }
            let kitex = try Recording("mux-shutdown-idle", "s2c").bytes.suffix(47)
            #expect(try raw.receiveFrame() == Array(kitex))
            // It was on its way when the frame came.
            try raw.send(try Frames.echo(4, flags: WireFormat.outOfOrderFlag))
            #expect(try raw.receiveAnswer().sequenceID == 4)
            raw.close()
        }
        await shutdown.value
        await fixture.loops.shutdown()
    }

    @Test(
        "a second wish for the end cancels the calls in flight, and they are answered",
        arguments: [CancellationError(), RPCError(.cancelled, "downstream")] as [any Error]
    )
    func forced(thrown: any Error) async throws {
        var options = RPCServerOptions()
        options.drainTimeout = .seconds(3600)
        let gate = Gate()
        let fixture = try HandlerFixture(options) { _, _ in
            do { try await gate.waitOrCancel() } catch { throw thrown }
            return "done"
        }
        let server = fixture.server
        server.cancelCalls()
        let echo = try fixture.echo()
        let call = Task { try await echo.echo(.init()) }
        try await eventually("the call runs") { server.callCount == 1 }
        let shutdown = Task { await server.shutdown() }
        try await eventually("the server drains") { server.runningGroup == nil }
        #expect(server.callCount == 1)
        server.cancelCalls()
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.code == .unavailable)
        #expect(error?.message == "the server is shutting down")
        await shutdown.value
        await fixture.loops.shutdown()
    }

    @Test("cancelling the task of a server that drains cancels the calls in flight")
    func cancelledDrain() async throws {
        let loops = try EventLoopGroup(count: 2)
        let gate = Gate()
        let handler = Handler { _, _ in
            try await gate.waitOrCancel()
            return "done"
        }
        var options = RPCServerOptions()
        options.drainTimeout = .seconds(3600)
        let server = RPCServer(services: [handler], options: options, group: loops)
        let run = Task { try await server.run(on: .tcp(host: "127.0.0.1", port: 0)) }
        try await eventually("it listens") { !server.localAddresses.isEmpty }
        let echo = Echo_EchoClient(try RPCClient(to: server.localAddresses[0], group: loops))
        let call = Task { try await echo.echo(.init()) }
        try await eventually("the call runs") { server.callCount == 1 }
        server.beginShutdown()
        try await eventually("the server drains") { server.runningGroup == nil }
        #expect(server.callCount == 1)
        run.cancel()
        await #expect(throws: RPCError.self) { try await call.value }
        try await run.value
        await loops.shutdown()
    }

    /// Calls back while its server starts.
    private struct StartObserver: ServerObserver {
        static let serviceDescriptor = ServiceDescriptor(package: "tests", name: "Observer")
        let willStart: @Sendable () -> Void

        func registerMethods(with registrar: inout MethodRegistrar) {}
        func serverWillStart(_ services: [ServedService]) { willStart() }
    }

    /// A server that is shut down while it starts; the counter tells when that has returned.
    private func serverThatEndsAtItsStart(_ loops: EventLoopGroup) -> (RPCServer, Counter) {
        let server = Locked<RPCServer?>(nil)
        let returned = Counter()
        let observer = StartObserver {
            guard let server = server.withLock({ $0.take() }) else { return }
            Task {
                await server.shutdown()
                returned.increment()
            }
            while !server.state.withLock({ $0.requested.isFinished }) { sched_yield() }
        }
        let made = RPCServer(services: [observer], group: loops)
        server.withLock { $0 = made }
        return (made, returned)
    }

    @Test("a shutdown that comes while a server starts is kept: nothing listens, and all return")
    func shutdownDuringStart() async throws {
        let loops = try EventLoopGroup(count: 1)
        let address = SocketAddress.unix(path: "@netpoll-shutdown-during-start-\(getpid())")
        let (server, returned) = serverThatEndsAtItsStart(loops)
        let error = await #expect(throws: RPCError.self) {
            try await blocking { try server.start(on: [address]) }
        }
        try #require(error?.message == "the server was shut down")
        await server.shutdown()
        try await eventually("the first shutdown returns") { returned.value == 1 }
        await #expect(throws: NetpollError.self) { try await Dialer(group: loops).dial(address) }
        #expect(throws: RPCError.self) { try server.start(on: [address]) }
        await loops.shutdown()
    }

    @Test("a server that is shut down while it starts runs to its end at once")
    func shutdownDuringRun() async throws {
        let loops = try EventLoopGroup(count: 1)
        let address = SocketAddress.unix(path: "@netpoll-shutdown-during-run-\(getpid())")
        let (server, returned) = serverThatEndsAtItsStart(loops)
        try await server.run(on: [address]) { _ in Issue.record("it never served") }
        try await eventually("the shutdown returns") { returned.value == 1 }
        await #expect(throws: NetpollError.self) { try await Dialer(group: loops).dial(address) }
        await loops.shutdown()
    }

    @Test("a shutdown while a start fails returns, and so does one after it")
    func failedStart() async throws {
        let loops = try EventLoopGroup(count: 1)
        let taken = try HandlerFixture { _, _ in "" }
        let (server, returned) = serverThatEndsAtItsStart(loops)
        let address = SocketAddress.unix(path: "@netpoll-failed-start-\(getpid())")
        await #expect(throws: NetpollError.self) {
            try await blocking { try server.start(on: [address, taken.address]) }
        }
        try await eventually("the shutdown returns") { returned.value == 1 }
        await server.shutdown()
        for loop in loops.loops { await loop.turn() }
        await #expect(throws: NetpollError.self) { try await Dialer(group: loops).dial(address) }
        await taken.stop()
        await loops.shutdown()
    }

    @Test("any number of shutdowns wait for the end, and all return")
    func manyShutdowns() async throws {
        let gate = Gate()
        let fixture = try HandlerFixture { _, _ in
            await gate.wait()
            return "done"
        }
        let server = fixture.server
        let echo = try fixture.echo()
        let call = Task { try await echo.echo(.init()).msg }
        try await eventually("the call runs") { server.callCount == 1 }
        let (begun, returned) = (Counter(), Counter())
        for _ in 0..<5 {
            Task {
                begun.increment()
                await server.shutdown()
                returned.increment()
            }
        }
        try await eventually("all have begun") { begun.value == 5 }
        try await eventually("the server drains") { server.runningGroup == nil }
        #expect(returned.value == 0)
        gate.open()
        #expect(try await call.value == "done")
        try await eventually("all return") { returned.value == 5 }
        await fixture.loops.shutdown()
    }

    @Test("several listeners, TCP and Unix, serve and end together")
    func listeners() async throws {
        let loops = try EventLoopGroup(count: 2)
        let server = RPCServer(
            services: [Handler { _, _ in "done" }],
            addresses: [
                .tcp(host: "127.0.0.1", port: 0), .tcp(host: "127.0.0.1", port: 0),
                .unix(path: "@netpoll-listener-tests"),
            ],
            group: loops
        )
        let run = Task { try await server.run() }
        try await eventually("it listens") { server.localAddresses.count == 3 }
        #expect(Set(server.localAddresses).count == 3)
        for address in server.localAddresses {
            let echo = Echo_EchoClient(try RPCClient(to: address, group: loops))
            #expect(try await echo.echo(.init()).msg == "done")
        }
        server.beginShutdown()
        try await run.value
        for address in server.localAddresses {
            let echo = Echo_EchoClient(try RPCClient(to: address, group: loops))
            #expect(try await refusal(echo).code == .unavailable)
        }
        await loops.shutdown()
    }

    @Test("a service group ends a server and its client in good order")
    func serviceGroup() async throws {
        let loops = try EventLoopGroup(count: 2)
        let gate = Gate()
        let server = RPCServer(
            services: [
                Handler { _, _ in
                    await gate.wait()
                    return "done"
                }
            ],
            addresses: [.tcp(host: "127.0.0.1", port: 0)],
            group: loops
        )
        let upstream = try RPCClient(to: .tcp(host: "127.0.0.1", port: 1), group: loops)
        let group = ServiceGroup(
            services: [server, upstream],
            logger: RPCServerOptions().logger
        )
        let run = Task { try await group.run() }
        try await eventually("it listens") { !server.localAddresses.isEmpty }
        let echo = Echo_EchoClient(try RPCClient(to: server.localAddresses[0], group: loops))
        let call = Task { try await echo.echo(.init()).msg }
        try await eventually("the call runs") { server.callCount == 1 }
        await group.triggerGracefulShutdown()
        try await eventually("the server drains") { server.runningGroup == nil }
        gate.open()
        #expect(try await call.value == "done")
        try await run.value
        await loops.shutdown()
    }

    @Test("a server without an address, or whose address is taken, ends with the error")
    func badStart() async throws {
        let loops = try EventLoopGroup(count: 1)
        let fixture = try HandlerFixture { _, _ in "" }
        let nowhere = RPCServer(services: [Handler { _, _ in "" }], group: loops)
        let error = await #expect(throws: RPCError.self) { try await nowhere.run() }
        #expect(error?.code == .invalidArgument)
        let taken = RPCServer(
            services: [Handler { _, _ in "" }],
            addresses: [fixture.address],
            group: loops
        )
        let other = await #expect(throws: NetpollError.self) {
            try await taken.runUntilSignal([.sigusr2])
        }
        #expect(other?.code == .addressInUse)
        await fixture.stop()
        await loops.shutdown()
    }

    /// What the callers of a server that goes away saw.
    private final class Tally: Sendable {
        let succeeded = Counter()
        let refused = Counter()
    }

    // Row C8.
    @Test("SIGTERM under load fails no call that was sent", arguments: CallTests.modes)
    func terminate(mode: RPCClientOptions.Connections) async throws {
        let address = SocketAddress.unix(path: "@netpoll-sigterm-\(mode)-\(getpid())")
        let peer = try ChildProcess("drain-peer", "\(address)")
        let loops = try EventLoopGroup(count: 2)
        var options = RPCClientOptions()
        options.connections = mode
        let echo = Echo_EchoClient(try RPCClient(to: address, options: options, group: loops))
        let tally = Tally()
        await withTaskGroup(of: Void.self) { group in
            for caller in 0..<16 {
                group.addTask {
                    while await Self.call(echo, caller, tally) {}
                }
            }
            group.addTask {
                while tally.succeeded.value < 500 { await Task.yield() }
                peer.signal(SIGTERM)
            }
        }
        #expect(tally.succeeded.value >= 500)
        #expect(tally.refused.value == 16, "each caller stops when nobody listens any more")
        #expect(try await blocking { peer.waitForExit() } == 0)
        await loops.shutdown()
    }

    /// - Returns: Whether to go on.
    private static func call(_ echo: Echo_EchoClient, _ caller: Int, _ tally: Tally) async -> Bool {
        do {
            if caller == 0 {
                _ = try await echo.sleep(.with { $0.millis = 5 })
            } else {
                _ = try await echo.echo(.with { $0.msg = "x" })
            }
            tally.succeeded.increment()
            return true
        } catch let error as RPCError {
            // Nothing was sent: no connection could be made.
            if let cause = error.cause as? NetpollError, cause.code == .connectionRefused {
                tally.refused.increment()
            } else {
                Issue.record(error)
            }
        } catch {
            Issue.record(error)
        }
        return false
    }

    // Row C8, the second signal.
    @Test("a second SIGTERM cancels what the first waits for")
    func terminateTwice() async throws {
        let address = SocketAddress.unix(path: "@netpoll-sigterm-twice-\(getpid())")
        let peer = try ChildProcess("drain-peer", "\(address)")
        let loops = try EventLoopGroup(count: 2)
        var options = RPCClientOptions()
        options.connections = .multiplexed(count: 1)
        let echo = Echo_EchoClient(try RPCClient(to: address, options: options, group: loops))
        let call = Task { try await echo.sleep(.with { $0.millis = 15_000 }) }
        for _ in 0..<10 { _ = try await echo.echo(.init()) }
        peer.signal(SIGTERM)
        // Until nobody listens any more: the first signal has been heard.
        while let connection = try? await Dialer(group: loops).dial(address) { connection.abort() }
        peer.signal(SIGTERM)
        await #expect(throws: RPCError.self) { try await call.value }
        #expect(try await blocking { peer.waitForExit() } == 0)
        await loops.shutdown()
    }
}
