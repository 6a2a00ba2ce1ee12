import ArgumentParser
import EchoService
import Glibc
import NetpollCore
import NetpollRPC
import NetpollServiceLifecycle

@main
struct EchoServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo-server",
        abstract: "Serves Protos/echo.proto until SIGTERM or SIGINT."
    )

    @Option(help: "Where to listen: tcp://HOST:PORT or unix:///PATH; may be repeated.")
    var listen: [String]

    func run() async throws {
        let loops = try EventLoopGroup()
        let server = RPCServer(
            services: [EchoService(loops: loops)],
            addresses: try listen.map { try SocketAddress(parsing: $0) },
            group: loops
        )
        try await server.runUntilSignal { bound in
            print("echo-server: ready on \(bound.map(\.description).joined(separator: ", "))")
            fflush(nil)
        }
        await loops.shutdown()
        print("echo-server: stopped")
    }
}
