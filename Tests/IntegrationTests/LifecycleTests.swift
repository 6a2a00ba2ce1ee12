import NetpollCore
import NetpollProtobuf
import NetpollRPC
import TestProtos
import Testing

@Suite("Servers and clients that come and go", .timeLimit(.minutes(2)))
struct LifecycleTests {
    /// Waits until a server runs so many calls.
    private func reach(_ count: Int, on server: RPCServer) async throws {
        let end = Deadline.after(.seconds(30))
        while server.callCount < count {
            try #require(Deadline.now() < end, "\(server.callCount) of \(count) calls arrived")
            await Task.yield()
        }
    }

    @Test("a shutdown answers the calls in flight", arguments: CallTests.modes)
    func drain(mode: RPCClientOptions.Connections) async throws {
        let fixture = try Fixture()
        let echo = try fixture.echo(mode)
        _ = try await echo.echo(.init())
        let calls = (0..<20).map { _ in
            Task { try await echo.sleep(.with { $0.millis = 3000 }).action }
        }
        try await reach(20, on: fixture.server)
        await fixture.server.shutdown()
        for call in calls { #expect(try await call.value == "slept") }
        #expect(fixture.server.connectionCount == 0)
        await fixture.loops.shutdown()
    }

    @Test("a shutdown cancels calls that outlast the drain timeout")
    func forcedDrain() async throws {
        var options = RPCServerOptions()
        options.drainTimeout = .milliseconds(50)
        let fixture = try Fixture(options: options)
        let echo = try fixture.echo()
        let call = Task { try await echo.sleep(.with { $0.millis = 15_000 }) }
        try await reach(1, on: fixture.server)
        await fixture.server.shutdown()
        await #expect(throws: RPCError.self) { try await call.value }
        await fixture.loops.shutdown()
    }

    @Test(
        "a call in flight fails once when its server goes, and the next call finds a new server",
        arguments: CallTests.modes
    )
    func restart(mode: RPCClientOptions.Connections) async throws {
        let address = SocketAddress.unix(path: "@netpoll-restart-tests-\(mode)")
        let loops = try EventLoopGroup(count: 2)
        var serverOptions = RPCServerOptions()
        serverOptions.drainTimeout = .zero
        var options = RPCClientOptions()
        options.connections = mode
        let echo = Echo_EchoClient(try RPCClient(to: address, options: options, group: loops))
        for round in 0..<3 {
            let server = RPCServer(
                services: [EchoService(loops: loops)],
                options: serverOptions,
                group: loops
            )
            try server.start(on: [address])
            #expect(try await echo.echo(.with { $0.msg = "\(round)" }).msg == "\(round)")
            let call = Task { try await echo.sleep(.with { $0.millis = 15_000 }) }
            try await reach(1, on: server)
            await server.shutdown()
            await #expect(throws: RPCError.self) { try await call.value }
            let error = await #expect(throws: RPCError.self) { try await echo.echo(.init()) }
            #expect(error?.code == .unavailable)
        }
        await loops.shutdown()
    }

    @Test("run(on:) ends when its task is cancelled, after the calls in flight")
    func cancelledRun() async throws {
        let address = SocketAddress.unix(path: "@netpoll-run-tests")
        let loops = try EventLoopGroup(count: 1)
        let server = RPCServer(services: [EchoService(loops: loops)], group: loops)
        let run = Task { try await server.run(on: address) }
        let echo = Echo_EchoClient(try RPCClient(to: address, group: loops))
        while (try? await echo.echo(.init())) == nil { await Task.yield() }
        let call = Task { try await echo.sleep(.with { $0.millis = 100 }).action }
        try await reach(1, on: server)
        run.cancel()
        try await run.value
        #expect(try await call.value == "slept")
        await loops.shutdown()
    }

    @Test("run(on:) tells where it listens once it does")
    func readyRun() async throws {
        let loops = try EventLoopGroup(count: 1)
        let server = RPCServer(services: [EchoService(loops: loops)], group: loops)
        let (ready, continuation) = AsyncStream.makeStream(of: [SocketAddress].self)
        let run = Task {
            try await server.run(on: [.tcp(host: "127.0.0.1", port: 0)]) {
                continuation.yield($0)
                continuation.finish()
            }
        }
        for await addresses in ready {
            #expect(addresses == server.localAddresses)
            let client = try RPCClient(to: addresses[0], group: loops)
            #expect(try await Echo_EchoClient(client).echo(.with { $0.msg = "x" }).msg == "x")
        }
        run.cancel()
        try await run.value
        await loops.shutdown()
    }

    @Test("two services of one name, and a second start, are refused")
    func misuse() async throws {
        let loops = try EventLoopGroup(count: 1)
        let service = EchoService(loops: loops)
        #expect(throws: RPCError.self) {
            try RPCServer(services: [service, service]).start(on: [])
        }
        let server = RPCServer(services: [service], group: loops)
        try server.start(on: [.unix(path: "@netpoll-misuse-tests")])
        #expect(throws: RPCError.self) { try server.start(on: []) }
        await server.shutdown()
        await loops.shutdown()
    }

    @Test("a client of its own loops works and may simply be dropped")
    func ownLoops() async throws {
        let fixture = try Fixture()
        do {
            let client = try RPCClient(to: fixture.address)
            #expect(try await Echo_EchoClient(client).echo(.with { $0.msg = "x" }).msg == "x")
        }
        await fixture.stop()
    }
}
