import NetpollCore
import NetpollProtobuf
import NetpollTesting
import TestProtos
import Testing

@testable import NetpollRPC

/// A client whose connections may be idle for a minute, and its server, on one clock.
@Suite("Client connections without calls", .timeLimit(.minutes(1)))
struct IdleClientTests {
    private struct Setup {
        let clock = ManualClock()
        let loops: EventLoopGroup
        let server: RPCServer
        let client: RPCClient
        let echo: Echo_EchoClient

        init(_ connections: RPCClientOptions.Connections) throws {
            loops = try EventLoopGroup(count: 1, options: clock.options)
            let loop = loops.loops[0]
            // Tells by which connection the call came.
            let service = ScriptedEcho { [clock] request, context in
                if request.msg == "slow" {
                    try await loop.sleep(until: clock.deadline(after: .seconds(300)))
                }
                return .with { $0.msg = "\(context.peerAddress)" }
            }
            server = RPCServer(services: [service], group: loops)
            let address = try server.start(on: [.tcp(host: "127.0.0.1", port: 0)])[0]
            var options = RPCClientOptions()
            options.connections = connections
            options.timeout = .seconds(1000)
            client = try RPCClient(to: address, options: options, group: loops)
            echo = Echo_EchoClient(client)
        }

        func call() async throws -> String { try await echo.echo(.init()).msg }

        func stop() async {
            await client.close()
            let server = server
            async let ended: Void = server.shutdown()
            while server.connectionCount > 0 { await clock.advance(by: .seconds(1)) }
            await ended
            await loops.shutdown()
        }
    }

    private static let modes: [RPCClientOptions.Connections] = [
        .multiplexed(count: 1), .pooled(limit: 1),
    ]

    @Test(
        "one that is used from time to time stays, and is closed when it is not",
        arguments: modes
    )
    func idle(mode: RPCClientOptions.Connections) async throws {
        let setup = try Setup(mode)
        let first = try await setup.call()
        for _ in 0..<10 {
            await setup.clock.advance(by: .seconds(50))
            #expect(try await setup.call() == first)
        }
        // In steps, as time passes: a timer that is set anew needs another look.
        for _ in 0..<15 { await setup.clock.advance(by: .seconds(5)) }
        try await eventually("the idle connection is gone") { setup.server.connectionCount == 0 }
        #expect(try await setup.call() != first)
        #expect(setup.server.connectionCount == 1)
        await setup.stop()
    }

    @Test("one with a long call is not idle, and is from its reply on", arguments: modes)
    func longCall(mode: RPCClientOptions.Connections) async throws {
        let setup = try Setup(mode)
        let first = try await setup.call()
        let slow = Task { try await setup.echo.echo(.with { $0.msg = "slow" }).msg }
        try await eventually("the call is in flight") { setup.client.callCount == 1 }
        #expect(try await setup.clock.advance(until: slow, by: .seconds(5)) == first)
        for _ in 0..<10 { await setup.clock.advance(by: .seconds(5)) }
        #expect(try await setup.call() == first)
        await setup.stop()
    }
}
