import Glibc
import NetpollCore
import NetpollRPC
import NetpollServiceLifecycle
import TestProtos

/// Serves the echo service at the addresses in its arguments until it gets SIGTERM, so that tests
/// can end a real process in good order; a second SIGTERM makes it hurry.
@main
struct DrainPeer {
    static func main() async throws {
        let loops = try EventLoopGroup(count: 1)
        var options = RPCServerOptions()
        options.drainTimeout = .seconds(20)
        // A second process may take over the port.
        options.listener.reusesPort = true
        let server = RPCServer(
            services: [EchoService(loops: loops), HealthService()],
            addresses: try CommandLine.arguments.dropFirst().map { try SocketAddress(parsing: $0) },
            options: options,
            group: loops
        )
        try await server.runUntilSignal { _ in
            print("ready")
            fflush(nil)
        }
        await loops.shutdown()
    }
}
