import NetpollCore
import NetpollProtobuf
import NetpollTesting
import TestProtos
import TestSupport
import Testing

@testable import NetpollRPC

@Suite("Servers with as many connections as they take", .timeLimit(.minutes(2)))
struct FullServerTests {
    /// A server with room for one connection, which somebody has, and one with room for all.
    private struct Setup {
        let loops: EventLoopGroup
        let full: RPCServer
        let free: RPCServer
        let occupant: RawSocket

        init() throws {
            loops = try EventLoopGroup(count: 1)
            var options = RPCServerOptions()
            options.listener.connectionLimit = 1
            full = RPCServer(
                services: [ScriptedEcho { _, _ in .with { $0.msg = "full" } }],
                options: options,
                group: loops
            )
            free = RPCServer(
                services: [ScriptedEcho { _, _ in .with { $0.msg = "free" } }],
                group: loops
            )
            let anywhere = SocketAddress.tcp(host: "127.0.0.1", port: 0)
            let address = try full.start(on: [anywhere])[0]
            try free.start(on: [anywhere])
            occupant = try RawSocket(port: address.port)
            try occupant.send(Frames.echo())
            #expect(try occupant.receiveAnswer().type == .reply)
        }

        var addresses: [SocketAddress] { full.localAddresses + free.localAddresses }

        func stop() async {
            occupant.close()
            await full.shutdown()
            await free.shutdown()
            await loops.shutdown()
        }
    }

    // Row B12.
    @Test(
        "the call of one client too many is sent elsewhere, and the server is left alone for a while",
        arguments: CallTests.modes
    )
    func elsewhere(mode: RPCClientOptions.Connections) async throws {
        let setup = try Setup()
        let clock = ManualClock()
        let timed = try EventLoopGroup(count: 1, options: clock.options)
        var options = RPCClientOptions()
        options.connections = mode
        let client = try RPCClient(
            resolver: StaticResolver(setup.addresses),
            options: options,
            group: timed
        )
        for _ in 0..<50 { #expect(try await Echo_EchoClient(client).echo(.init()).msg == "free") }
        // The clock stands still, so no back-off ends.
        let refused = client.endpoints.first { $0.endpoint.address == setup.addresses[0] }
        #expect(refused?.isUnreachable == false)
        #expect(setup.full.connectionCount <= 4)
        await client.close()
        await timed.shutdown()
        await setup.stop()
    }

    @Test("where there is no other server the caller is told why", arguments: CallTests.modes)
    func alone(mode: RPCClientOptions.Connections) async throws {
        let setup = try Setup()
        var options = RPCClientOptions()
        options.connections = mode
        let client = try RPCClient(to: setup.addresses[0], options: options, group: setup.loops)
        let error = await #expect(throws: RPCError.self) {
            try await Echo_EchoClient(client).echo(.init())
        }
        #expect(error?.code == .resourceExhausted && error?.retry == .elsewhere)
        #expect(error?.message.contains("request over limit: the server has 1 connections") == true)
        setup.occupant.close()
        try await eventually("there is room") { setup.full.connectionCount == 0 }
        #expect(try await Echo_EchoClient(client).echo(.init()).msg == "full")
        await client.close()
        await setup.stop()
    }

    @Test("who makes no call is closed after a second, and beyond 64 nobody is listened to")
    func silent() async throws {
        let clock = ManualClock()
        let loops = try EventLoopGroup(count: 1, options: clock.options)
        var options = RPCServerOptions()
        options.listener.connectionLimit = 0
        let server = RPCServer(services: [], options: options, group: loops)
        let port = try server.start(on: [.tcp(host: "127.0.0.1", port: 0)])[0].port
        let silent = try await blocking { try (0..<64).map { _ in try RawSocket(port: port) } }
        try await eventually("all are there") { server.connectionCount == 64 }
        #expect(try await blocking { try RawSocket(port: port).receiveEnd() } == .finished)
        #expect(server.connectionCount == 64)
        // One talks, but not of a call, and gains no time by it.
        let control = RefusalTests.frame([], sequenceID: 0, strings: [("crrst", "1")])
        try await blocking { try silent[0].send(control) }
        await clock.advance(by: .milliseconds(999))
        #expect(server.connectionCount == 64)
        await clock.advance(by: .milliseconds(1))
        for raw in silent {
            #expect(try await blocking { try raw.receiveEnd() } == .finished)
            raw.close()
        }
        try await eventually("all have left") { server.connectionCount == 0 }
        await server.shutdown()
        await loops.shutdown()
    }
}
