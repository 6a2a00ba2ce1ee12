import Glibc
import NetpollCore
import NetpollRPC
import TestProtos

/// Serves the echo service at the addresses in its arguments until it is killed or its parent
/// ends, so that tests can
/// stop, kill and restart a real process.
@main
struct EchoPeer {
    static func main() async throws {
        let parent = getppid()
        let loops = try EventLoopGroup(count: 1)
        let server = RPCServer(services: [EchoService(loops: loops)], group: loops)
        try server.start(
            on: CommandLine.arguments.dropFirst().map { try SocketAddress(parsing: $0) }
        )
        print("ready")
        fflush(nil)
        while getppid() == parent { try await loops.loops[0].sleep(until: .after(.seconds(1))) }
    }
}
