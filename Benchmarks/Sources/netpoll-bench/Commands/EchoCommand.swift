import ArgumentParser
import NetpollCore

/// Raw echo beside a C server, under one C client.
struct EchoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo",
        abstract: "Compares the raw echo server with a C epoll server.",
        discussion: """
            The servers take turns, round by round, under the same client (c-echo-client), which \
            checks that each message comes back. Client and server share the machine's cores. \
            --peers adds SwiftNIO. A call is a message here.

            \(Table.legend)
            """
    )

    @OptionGroup var options: RunOptions
    @Option(help: "How many connections are open.")
    var connections = 100
    @Option(help: "On how many of them a message is under way; all by default.")
    var active: Int?
    @Option(help: "Bytes of a message.")
    var size = 1024
    @Option(help: "Loops of the server, threads of the C server and of the client.")
    var threads = 2
    @Flag(help: "Leave out the runs that count system calls and allocations.")
    var withoutCounts = false

    func validate() throws {
        guard connections > 0, size >= 8, threads > 0 else {
            throw ValidationError("counts must be positive, and a message has at least 8 bytes")
        }
    }

    func run() async throws {
        var results = Results()
        results.measurements = try await measure()
        let busy = active ?? connections
        print("raw echo, \(size) B, \(connections) connections, \(busy) active, \(threads) threads")
        print(Table.calls(results.measurements))
        let (ours, c) = (results.measurements[0], results.measurements[1])
        for (name, unit) in [
            ("calls_per_second", "messages/s"), ("server_cpu_us_per_call", "CPU/message"),
        ] {
            print("to C: \(fixed(ours.ratio(of: name, to: c) ?? .nan, 3)) \(unit)")
        }
        try results.write(to: options.json)
    }

    func measure() async throws -> [Measurement] {
        let load = EchoLoad(
            threads: threads,
            connections: connections,
            active: active ?? connections,
            size: size
        )
        var contest = Contest("echo")
        contest.add(load.ours, load.conditions)
        contest.add(load.c, load.conditions)
        if let peers = options.peerPrograms { contest.add(load.nio(peers), load.conditions) }
        return try await contest.run(
            rounds: options.rounds,
            seconds: options.seconds,
            counts: !withoutCounts
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
