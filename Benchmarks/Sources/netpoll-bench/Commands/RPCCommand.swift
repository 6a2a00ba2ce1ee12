import ArgumentParser

/// Unary calls beside C programs of the same wire.
struct RPCCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rpc",
        abstract: "Measures unary calls: both sides, and each side against the limit in C.",
        discussion: """
            Server and load are processes of their own on the same cores and take turns with the \
            others, round by round. Rows, as "server < client":
            - with this toolkit on both sides: multiplexed (--mux connections), pooled (a connection \
            for each caller), and one caller on one connection;
            - "C fixed answer" as the server: what a server costs that decodes nothing and copies \
            a reply that is ready (c-rpc-server); its row under this toolkit's client is the limit \
            of that client;
            - C as the client: a load that costs little itself, so that the server has the cores.
            All check each reply's sequence id, method and message. --peers adds gRPC Swift 2.

            \(Table.legend)
            """
    )

    @OptionGroup var options: RunOptions
    @Option(help: "Callers that wait for their replies.")
    var callers = 100
    @Option(help: "Multiplexed connections.")
    var mux = 2
    @Option(help: "Bytes of the message's text.")
    var size = 1024
    @Option(help: "Loops or threads of every program.")
    var threads = 2
    @Flag(help: "Leave out the runs that count system calls and allocations.")
    var withoutCounts = false

    func run() async throws {
        var results = Results()
        results.measurements = try await measure()
        print("unary echo, \(size) B, \(callers) callers, \(threads) threads a process")
        print(Table.calls(results.measurements))
        try results.write(to: options.json)
    }

    func measure() async throws -> [Measurement] {
        let load = RPCLoad(
            threads: threads,
            connections: .mux(mux),
            callers: callers,
            size: size
        )
        var pooled = load
        pooled.connections = .pooled(callers)
        var alone = load
        alone.connections = .mux(1)
        alone.callers = 1
        var contest = Contest("rpc")
        for load in [load, pooled, alone] { contest.add(load.ours, load.conditions) }
        for load in [load, pooled] {
            contest.add(load.cServer, load.conditions)
            contest.add(load.cClient, load.conditions)
            contest.add(load.cOnly, load.conditions)
        }
        if let peers = options.peerPrograms { contest.add(load.grpc(peers), load.conditions) }
        return try await contest.run(
            rounds: options.rounds,
            seconds: options.seconds,
            counts: !withoutCounts
        )
    }
}
