import ArgumentParser
import NetpollCore

/// Raw echo beside a C server, under one C client.
struct EchoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo",
        abstract: "Compares the raw echo server with a C epoll server.",
        discussion: """
            Both servers take turns, round by round, under the same client (c-echo-client), which \
            checks that each message comes back. Client and server share the machine's cores.
            """
    )

    @Option(help: "How many connections are open.")
    var connections = 100
    @Option(help: "On how many of them a message is under way; all by default.")
    var active: Int?
    @Option(help: "Bytes of a message.")
    var size = 1024
    @Option(help: "Loops of the server, threads of the C server and of the client.")
    var threads = 2
    @Option(help: "Seconds of a round.")
    var seconds = 2.0
    @Option(help: "How many rounds of each server.")
    var rounds = 5

    /// What one server did in one round.
    struct Round {
        let messagesPerSecond: Double
        let cpuMicroseconds: Double
    }

    func validate() throws {
        guard connections > 0, size >= 8, threads > 0, seconds > 0, rounds > 0 else {
            throw ValidationError("counts must be positive, and a message has at least 8 bytes")
        }
    }

    func run() async throws {
        var c: [Round] = []
        var ours: [Round] = []
        for round in 0..<rounds {
            let port = try await freePort()
            c.append(try measure("c-echo-server", ["\(port)", "\(threads)"], port))
            let own = try await freePort()
            let arguments = [
                "echo-server", "--listen", "tcp://127.0.0.1:\(own)", "--loops", "\(threads)",
            ]
            ours.append(try measure("netpoll-bench", arguments, own))
            StandardError.print("  round \(round + 1) of \(rounds)")
        }
        let busy = active ?? connections
        print("raw echo, \(size) B, \(connections) connections, \(busy) active, \(threads) threads")
        row("C epoll", c)
        row("NetpollCore", ours)
        let rate = ours.map(\.messagesPerSecond).median / c.map(\.messagesPerSecond).median
        let cpu = ours.map(\.cpuMicroseconds).median / c.map(\.cpuMicroseconds).median
        print("  ratio            \(fixed(rate, 3)) messages/s, \(fixed(cpu, 3)) CPU/message")
    }

    private func row(_ name: String, _ rounds: [Round]) {
        let rates = rounds.map(\.messagesPerSecond)
        let name = name.padding(toLength: 16, withPad: " ", startingAt: 0)
        let range = "\(fixed(rates.min() ?? 0, 0))...\(fixed(rates.max() ?? 0, 0))"
        let cpu = fixed(rounds.map(\.cpuMicroseconds).median, 2)
        print("  \(name) \(fixed(rates.median, 0)) messages/s (\(range)), \(cpu) us CPU/message")
    }

    private func measure(_ program: String, _ arguments: [String], _ port: Int) throws -> Round {
        let server = try Child(program, arguments)
        defer { server.end() }
        _ = try server.line()
        let client = try Child(
            "c-echo-client",
            [
                "\(port)", "\(threads)", "\(connections)", "\(active ?? connections)", "\(size)",
                "\(seconds)",
            ]
        )
        defer { client.end() }
        guard try client.line() == "begin" else { throw BenchError("the client did not begin") }
        let before = try server.cpuSeconds()
        let result = try client.line()
        let cpu = try server.cpuSeconds() - before
        guard let messages = result.split(separator: " ").last.flatMap({ Double($0) }), messages > 0
        else { throw BenchError("the client said: \(result)") }
        return Round(
            messagesPerSecond: messages / seconds,
            cpuMicroseconds: cpu / messages * 1e6
        )
    }
}

/// A port that nobody listens on at this moment.
func freePort() async throws -> Int {
    let group = try EventLoopGroup(count: 1)
    let listener = try Listener(on: .tcp(host: "127.0.0.1", port: 0), group: group) { _ in nil }
    guard case .tcp(_, let port) = listener.localAddress else { throw BenchError("no free port") }
    await listener.close()
    await group.shutdown()
    return port
}
