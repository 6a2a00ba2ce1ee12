import ArgumentParser
import NetpollCore

/// What connections cost that do nothing.
struct IdleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "idle",
        abstract: "Measures the memory of idle connections.",
        discussion: """
            The growth of the server's private memory (Private_Dirty in /proc/PID/smaps_rollup) \
            while the connections are made, divided by their number: user memory, without what the \
            kernel holds for a socket. "raw echo" is a connection of NetpollCore, "RPC" one with a \
            server session on it.
            """
    )

    @Option(help: "How many connections.")
    var connections = 10_000
    @Option(help: "A file for the results as JSON; keys end with their units.")
    var json: String?

    func run() async throws {
        var results = Results()
        results.measurements = try await measure()
        for row in results.measurements {
            let bytes = fixed(row["bytes_per_connection"] ?? 0, 0)
            print("idle \(row.part ?? ""): \(connections) connections, \(bytes) bytes each")
        }
        try results.write(to: json)
    }

    func measure() async throws -> [Measurement] {
        var rows: [Measurement] = []
        for (name, server) in [
            ("raw echo", Trials.echoServer(threads: 2)), ("RPC", Trials.rpcServer(threads: 2)),
        ] {
            var row = Measurement("idle", Trials.ours, ["connections": Double(connections)])
            row.part = name
            row.values["bytes_per_connection"] = try await bytes(server)
            rows.append(row)
        }
        return rows
    }

    private func bytes(_ program: Trials.Server) async throws -> Double {
        let port = try await freePort()
        let server = try Child(program(port))
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
        for connection in open { connection.abort() }
        await group.shutdown()
        return Double(after - before) / Double(connections)
    }
}
