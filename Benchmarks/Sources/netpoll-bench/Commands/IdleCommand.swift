import ArgumentParser
import NetpollCore

/// What connections cost that do nothing.
struct IdleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "idle",
        abstract: "Measures the memory of idle connections.",
        discussion: """
            The server's private memory (Private_Dirty in /proc/PID/smaps_rollup) with and without \
            the connections, by their number. One message a second keeps one of them busy.
            """
    )

    @Option(help: "How many connections.")
    var connections = 10_000

    func run() async throws {
        for (name, isRPC) in [("raw echo", false), ("RPC", true)] {
            let port = try await freePort()
            let server = try Child(
                "netpoll-bench",
                [isRPC ? "rpc-server" : "echo-server", "--listen", "tcp://127.0.0.1:\(port)"]
            )
            defer { server.end() }
            _ = try server.line()
            let before = try server.privateByteCount()
            let address = SocketAddress.tcp(host: "127.0.0.1", port: port)
            let group = try EventLoopGroup(count: 1)
            let dialer = Dialer(group: group, connectTimeout: .seconds(30))
            var open: [Connection] = []
            for _ in 0..<connections { open.append(try await dialer.dial(address)) }
            // Accepted is not yet registered: let the server's loops come to rest.
            try await group.loops[0].sleep(until: .after(.seconds(1)))
            let after = try server.privateByteCount()
            guard open.allSatisfy(\.isActive) else { throw BenchError("connections were lost") }
            let each = Double(after - before) / Double(connections)
            print("idle \(name): \(connections) connections, \(fixed(each, 0)) bytes each")
            for connection in open { connection.abort() }
            await group.shutdown()
        }
    }
}
