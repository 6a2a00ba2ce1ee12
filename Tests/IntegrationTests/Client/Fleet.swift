import NetpollCore
import NetpollProtobuf
import NetpollRPC
import NetpollTesting
import TestProtos

/// An echo service that does what a test says.
struct ScriptedEcho: Echo_EchoService {
    let body: @Sendable (Echo_EchoRequest, RPCContext) async throws -> Echo_EchoResponse

    func echo(_ request: Echo_EchoRequest, context: RPCContext) async throws -> Echo_EchoResponse {
        try await body(request, context)
    }

    func fail(_ request: Echo_EchoRequest, context: RPCContext) async throws -> Echo_EchoResponse {
        throw RPCError(.internalError, "deliberate failure")
    }

    func sleep(_ request: Echo_SleepRequest, context: RPCContext) async throws -> Echo_EchoResponse
    {
        throw RPCError(.internalError, "nobody sleeps here")
    }
}

/// Servers of scripts, each on a port of its own.
struct Fleet: Sendable {
    let loops: EventLoopGroup
    let servers: [RPCServer]
    let addresses: [SocketAddress]

    /// Starts `count` servers; each is told its number.
    init(
        _ count: Int,
        loops: EventLoopGroup,
        _ body: @escaping @Sendable (Int, Echo_EchoRequest, RPCContext) async throws -> Void = {
            _,
            _,
            _ in
        }
    ) throws {
        self.loops = loops
        var servers: [RPCServer] = []
        var addresses: [SocketAddress] = []
        for number in 0..<count {
            let service = ScriptedEcho { request, context in
                try await body(number, request, context)
                return .with { $0.msg = "\(number)" }
            }
            let server = RPCServer(services: [service], group: loops)
            addresses += try server.start(on: [.tcp(host: "127.0.0.1", port: 0)])
            servers.append(server)
        }
        self.servers = servers
        self.addresses = addresses
    }

    func stop() async {
        for server in servers { await server.shutdown() }
        await loops.shutdown()
    }
}

/// A resolver whose lists the test publishes.
final class ManualResolver: Resolver {
    private let updates = Locked<EndpointUpdates?>(nil)
    private let first: [Endpoint]

    init(_ first: [Endpoint] = []) { self.first = first }

    func run(_ updates: EndpointUpdates) async throws {
        self.updates.withLock { $0 = updates }
        if !first.isEmpty { updates.publish(first) }
        try await updates.waitForRefresh(after: .seconds(3600), atLeast: .seconds(3600))
    }

    func publish(_ endpoints: [Endpoint]) { updates.withLock { $0 }?.publish(endpoints) }

    var isRunning: Bool { updates.withLock { $0 != nil } }
}

extension ManualClock {
    /// Moves the clock in small steps until a task has ended.
    func advance<T: Sendable>(
        until task: Task<T, any Error>,
        by step: Duration = .milliseconds(20)
    ) async throws -> T {
        let isDone = Locked(false)
        let watcher = Task {
            _ = await task.result
            isDone.withLock { $0 = true }
        }
        while !isDone.withLock({ $0 }) {
            await advance(by: step)
            await Task.yield()
        }
        await watcher.value
        return try await task.value
    }
}
