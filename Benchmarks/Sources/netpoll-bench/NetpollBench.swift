import ArgumentParser
import Glibc
import NetpollCore
import UnixSignals

@main
struct NetpollBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "netpoll-bench",
        abstract: "Servers and load for measuring the toolkit.",
        discussion: """
            Run a server and the client in two processes, release builds both. Compare figures only \
            within one run on one machine, as ratios.
            """,
        subcommands: [
            EchoServerCommand.self, RPCServerCommand.self, RPCClientCommand.self,
            EchoCommand.self, RPCCommand.self, ScaleCommand.self, LatencyCommand.self,
            IdleCommand.self, StallCommand.self, CodecCommand.self, BudgetsCommand.self,
            CompareCommand.self,
        ]
    )
}

/// The options that both servers share.
struct ServerOptions: ParsableArguments {
    @Option(help: "Where to listen: tcp://HOST:PORT or unix:///PATH.")
    var listen: String
    @Option(help: "How many event loops to use; by default one for each core.")
    var loops: Int = EventLoopGroup.coreCount

    func group() throws -> EventLoopGroup { try EventLoopGroup(count: loops) }
    func address() throws -> SocketAddress { try SocketAddress(parsing: listen) }

    /// Says that the server is ready and waits for SIGTERM or SIGINT.
    func serve(_ name: String, on address: SocketAddress, _ group: EventLoopGroup) async {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        print("\(name): ready on \(address), \(loops) loops")
        fflush(nil)
        let start = Usage.now().cpuSeconds
        for await _ in signals { break }
        let takeOvers = group.statistics.takeOvers
        let seconds = Usage.now().cpuSeconds - start
        print("\(name): \(seconds) s of CPU time since ready, \(takeOvers) loops taken over")
    }
}
