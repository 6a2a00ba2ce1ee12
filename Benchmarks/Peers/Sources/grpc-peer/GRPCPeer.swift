import GRPCCore
import NIOCore
import NIOPosix

/// Unary echo on gRPC Swift 2, as fast as it is known to be: its tasks run on the event loops and
/// not on the pool of the runtime.
///
/// Usage: grpc-peer server PORT LOOPS, or grpc-peer client PORT LOOPS CONNECTIONS CALLERS SIZE
/// SECONDS. The client prints "begin" when it is warm, and then its result as a line of JSON.
@main
struct GRPCPeer {
    static func main() async throws {
        let numbers = CommandLine.arguments.dropFirst(2).compactMap { Int($0) }
        switch (CommandLine.arguments.dropFirst().first, numbers.count) {
        case ("server", 2): try await serve(port: numbers[0], loops: numbers[1])
        case ("client", 6):
            let load = GRPCLoad(
                port: numbers[0],
                connections: numbers[2],
                callers: numbers[3],
                size: numbers[4],
                seconds: numbers[5]
            )
            try await load.run(on: MultiThreadedEventLoopGroup(numberOfThreads: numbers[1]))
        default:
            fatalError(
                """
                usage: grpc-peer server PORT LOOPS
                       grpc-peer client PORT LOOPS CONNECTIONS CALLERS SIZE SECONDS
                """
            )
        }
    }
}

/// Runs tasks on event loops: on the one whose thread asks, if it is one.
final class LoopExecutor: TaskExecutor {
    private let group: MultiThreadedEventLoopGroup
    init(_ group: MultiThreadedEventLoopGroup) { self.group = group }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let loop: any EventLoop = MultiThreadedEventLoopGroup.currentEventLoop ?? group.next()
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
