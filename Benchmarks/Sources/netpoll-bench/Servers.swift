import ArgumentParser
import EchoService
import NetpollCore
import NetpollRPC

/// Sends every byte back.
struct EchoServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo-server",
        abstract: "Serves a raw byte echo on NetpollCore."
    )
    @OptionGroup var options: ServerOptions

    func run() async throws {
        let group = try options.group()
        let listener = try Listener(on: options.address(), group: group) { _ in ByteEcho() }
        await options.serve("echo-server", on: listener.localAddress)
        await listener.close()
        await group.shutdown()
    }
}

private final class ByteEcho: ConnectionHandler {
    func connection(_ connection: Connection, didReceive input: inout LinkBuffer) -> Int {
        var bytes = input.takeAll()
        connection.withOutput { $0.append(bytes.takeAll()) }
        // A peer that sends without reading is held back by its own bytes.
        if connection.outputByteCount > connection.options.writeHighWaterMark {
            connection.pauseReading()
        }
        return 0
    }
    func connectionDidDrainOutput(_ connection: Connection) { connection.resumeReading() }
    func connectionDidReachEnd(_ connection: Connection) { connection.close() }
    func connection(_ connection: Connection, didCloseWith error: NetpollError?) {}
}

/// Serves Protos/echo.proto.
struct RPCServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rpc-server",
        abstract: "Serves Protos/echo.proto on NetpollRPC."
    )
    @OptionGroup var options: ServerOptions

    func run() async throws {
        let group = try options.group()
        let server = RPCServer(services: [EchoService(loops: group)], group: group)
        let bound = try server.start(on: [options.address()])
        await options.serve("rpc-server", on: bound[0])
        await server.shutdown()
        await group.shutdown()
    }
}
