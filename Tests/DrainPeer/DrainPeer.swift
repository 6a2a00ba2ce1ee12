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
        let announcement = Task(executorPreference: loops.loops[0]) {
            while server.localAddresses.isEmpty {
                try await loops.loops[0].sleep(until: .after(.milliseconds(1)))
            }
            print("ready")
            fflush(nil)
        }
        try await server.runUntilSignal()
        try await announcement.value
        await loops.shutdown()
    }
}
