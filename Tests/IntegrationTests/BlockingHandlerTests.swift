import Glibc
import NetpollCore
import NetpollProtobuf
import NetpollRPC
import Synchronization
import TestProtos
import Testing

/// A handler that holds its thread until another call has been served.
private final class BlockingEcho: Echo_EchoService, Sendable {
    private let isFree = Atomic<Bool>(false)

    func echo(_ request: Echo_EchoRequest, context: RPCContext) async throws -> Echo_EchoResponse {
        if request.action == "free" { isFree.store(true, ordering: .releasing) }
        if request.action == "block" {
            while !isFree.load(ordering: .acquiring) { usleep(100) }
        }
        return .with { $0.msg = request.msg }
    }

    func fail(_ request: Echo_EchoRequest, context: RPCContext) async throws -> Echo_EchoResponse {
        throw RPCError(.internalError, "not used")
    }

    func sleep(_ request: Echo_SleepRequest, context: RPCContext) async throws
        -> Echo_EchoResponse
    { throw RPCError(.internalError, "not used") }
}

@Suite("Handlers that block their thread", .timeLimit(.minutes(1)))
struct BlockingHandlerTests {
    @Test("calls of one connection are served while its loop's thread is held by a handler")
    func sameConnection() async throws {
        let serverLoops = try EventLoopGroup(count: 1)
        let clientLoops = try EventLoopGroup(count: 1)
        let server = RPCServer(services: [BlockingEcho()], group: serverLoops)
        let address = try server.start(on: [.tcp(host: "127.0.0.1", port: 0)])[0]
        var options = RPCClientOptions()
        options.connections = .multiplexed(count: 1)
        let echo = Echo_EchoClient(try RPCClient(to: address, options: options, group: clientLoops))
        _ = try await echo.echo(.init())
        // All frames may come in one turn: the blocked ones must not take the others along.
        async let blocked = withThrowingTaskGroup(of: String.self) { tasks in
            for number in 0..<8 {
                tasks.addTask {
                    try await echo.echo(
                        .with {
                            $0.action = "block"
                            $0.msg = "\(number)"
                        }
                    ).msg
                }
            }
            return try await tasks.reduce(into: Set<String>()) { $0.insert($1) }
        }
        for number in 0..<20 {
            let reply = try await echo.echo(
                .with { $0.msg = "fast \(number)" },
                timeout: .seconds(5)
            )
            #expect(reply.msg == "fast \(number)")
        }
        _ = try await echo.echo(.with { $0.action = "free" })
        #expect(try await blocked == Set((0..<8).map(String.init)))
        #expect(serverLoops.statistics.takeOvers > 0)
        await server.shutdown()
        await serverLoops.shutdown()
        await clientLoops.shutdown()
    }
}
