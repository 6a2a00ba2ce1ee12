import ArgumentParser
import EchoService
import Glibc
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
        var listenerOptions = ListenerOptions()
        listenerOptions.connectionLimit = 100_000
        listenerOptions.backlog = 4096
        let listener = try Listener(
            on: options.address(),
            group: group,
            options: listenerOptions
        ) { _ in ByteEcho() }
        await options.serve("echo-server", on: listener.localAddress, group)
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
        let service = BlockingEcho(echo: EchoService(loops: group))
        var serverOptions = RPCServerOptions()
        serverOptions.listener.connectionLimit = 100_000
        // What an open loop piles up while the machine does other work is measured, not refused.
        serverOptions.inFlightLimit = 65_536
        let server = RPCServer(services: [service], options: serverOptions, group: group)
        let bound = try server.start(on: [options.address()])
        await options.serve("rpc-server", on: bound[0], group)
        await server.shutdown()
        await group.shutdown()
    }
}

/// The echo service, but for `action` "block": that holds its thread for 50 ms, as a handler does
/// that calls a blocking library.
private struct BlockingEcho: Echo_EchoService {
    let echo: EchoService

    func echo(_ request: Echo_EchoRequest, context: RPCContext) async throws -> Echo_EchoResponse {
        if request.action == "block" { usleep(50_000) }
        return try await echo.echo(request, context: context)
    }

    func fail(_ request: Echo_EchoRequest, context: RPCContext) async throws -> Echo_EchoResponse {
        try await echo.fail(request, context: context)
    }

    func sleep(_ request: Echo_SleepRequest, context: RPCContext) async throws
        -> Echo_EchoResponse
    { try await echo.sleep(request, context: context) }
}
