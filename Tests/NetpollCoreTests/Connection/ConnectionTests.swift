import NetpollCore
import Testing

/// Sends back whatever arrives, without copying it.
private final class Echo: ConnectionHandler {
    func connection(_ connection: Connection, didReceive input: inout LinkBuffer) -> Int {
        var bytes = input.takeAll()
        connection.withOutput { $0.append(bytes.takeAll()) }
        return 0
    }
    func connectionDidReachEnd(_ connection: Connection) { connection.close() }
    func connection(_ connection: Connection, didCloseWith error: NetpollError?) {}
}

@Suite("Connection", .timeLimit(.minutes(1)))
struct ConnectionTests {
    @Test(
        "a peer gets its bytes back over TCP and over a Unix socket",
        arguments: [
            SocketAddress.tcp(host: "127.0.0.1", port: 0), .unix(path: "@netpoll-connection-tests"),
        ]
    )
    func echo(address: SocketAddress) async throws {
        let group = try EventLoopGroup(count: 2)
        let listener = try Listener(on: address, group: group) { _ in Echo() }
        let connection = try await Dialer(group: group).dial(listener.localAddress)
        #expect(connection.isActive)
        let sent = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try await connection.write(sent)
        let received = try await connection.read(count: sent.count, deadline: .after(.seconds(10)))
        #expect(Array(received) == sent)
        await listener.close()
        connection.close()
        await group.shutdown()
    }

    @Test("dialling a closed port says that the connection was refused")
    func refused() async throws {
        let group = try EventLoopGroup(count: 1)
        let listener = try Listener(on: .tcp(host: "127.0.0.1", port: 0), group: group) { _ in nil }
        let address = listener.localAddress
        await listener.close()
        let error = await #expect(throws: NetpollError.self) {
            try await Dialer(group: group).dial(address)
        }
        #expect(error?.code == .connectionRefused)
        await group.shutdown()
    }
}
