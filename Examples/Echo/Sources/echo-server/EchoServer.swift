import ArgumentParser
import EchoService
import Glibc
import NetpollCore
import NetpollRPC
import UnixSignals

@main
struct EchoServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo-server",
        abstract: "Serves Protos/echo.proto until SIGTERM or SIGINT."
    )

    @Option(help: "Where to listen: tcp://HOST:PORT or unix:///PATH; may be repeated.")
    var listen: [String]

    func run() async throws {
        let addresses = try listen.map { try SocketAddress(parsing: $0) }
        // Trapped before anybody is told that the server is ready.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let loops = try EventLoopGroup()
        let server = RPCServer(services: [EchoService(loops: loops)], group: loops)
        let bound = try server.start(on: addresses)
        print("echo-server: ready on \(bound.map(\.description).joined(separator: ", "))")
        fflush(nil)
        for await _ in signals { break }
        await server.shutdown()
        await loops.shutdown()
        print("echo-server: stopped")
    }
}
