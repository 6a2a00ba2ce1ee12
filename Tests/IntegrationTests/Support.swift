import Glibc
import NetpollCore
import NetpollRPC
import TestProtos

/// A server of the echo service on a free port, and a client of it.
struct Fixture: Sendable {
    let loops: EventLoopGroup
    let server: RPCServer
    let address: SocketAddress

    init(
        on address: SocketAddress = .tcp(host: "127.0.0.1", port: 0),
        options: RPCServerOptions = RPCServerOptions()
    ) throws {
        loops = try EventLoopGroup(count: 2)
        server = RPCServer(services: [EchoService(loops: loops)], options: options, group: loops)
        self.address = try server.start(on: [address])[0]
    }

    func client(
        _ connections: RPCClientOptions.Connections = .multiplexed(),
        timeout: Duration = .seconds(20)
    ) throws -> RPCClient {
        var options = RPCClientOptions()
        options.connections = connections
        options.timeout = timeout
        return try RPCClient(to: address, options: options, group: loops)
    }

    func echo(_ connections: RPCClientOptions.Connections = .multiplexed()) throws
        -> Echo_EchoClient
    {
        Echo_EchoClient(try client(connections))
    }

    func stop() async {
        await server.shutdown()
        await loops.shutdown()
    }
}

/// A peer that speaks bytes: a connection without a handler.
struct RawPeer {
    let connection: Connection

    init(_ fixture: Fixture) async throws {
        connection = try await Dialer(group: fixture.loops).dial(fixture.address)
    }

    /// Sends bytes and returns what comes back until the other side ends, or `count` bytes.
    func exchange(_ bytes: [UInt8], count: Int = .max, endsOutput: Bool = true) async throws
        -> [UInt8]
    {
        try await connection.write(bytes)
        if endsOutput { connection.closeOutput() }
        var received: [UInt8] = []
        while received.count < count,
            let slice = try await connection.read(deadline: .after(.seconds(20)))
        {
            received += Array(slice)
        }
        connection.close()
        return received
    }
}
