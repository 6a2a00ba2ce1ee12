import NetpollCore
import NetpollProtobuf
import NetpollRPC
import NetpollTesting
import TestProtos

/// The echo service with a handler that a test writes.
struct Handler: Echo_EchoService {
    let body: @Sendable (Echo_EchoRequest, RPCContext) async throws -> String

    func echo(_ request: Echo_EchoRequest, context: RPCContext) async throws -> Echo_EchoResponse {
        let text = try await body(request, context)
        return .with { $0.msg = text }
    }
    func fail(_ request: Echo_EchoRequest, context: RPCContext) async throws -> Echo_EchoResponse {
        throw Secret()
    }
    func sleep(_ request: Echo_SleepRequest, context: RPCContext) async throws
        -> Echo_EchoResponse
    {
        .with { $0.msg = "slept" }
    }
}

/// What a handler throws by mistake.
struct Secret: Error, CustomStringConvertible {
    var description: String { "the password is 1234" }
}

/// Holds handlers until a test lets them go, cancelled or not.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiters: [Waiter<Void>] = []
    }
    private let state = Locked(State())

    /// Waits for ``open()``; a cancelled handler waits too.
    func wait() async {
        let waiter = Waiter<Void>()
        let isOpen = state.withLock { state in
            state.waiters.append(waiter)
            return state.isOpen
        }
        if isOpen { waiter.finish(.success(())) }
        try? await waiter.wait(begin: {}, onCancel: {})
    }

    /// Waits for ``open()`` or for the end of the task.
    func waitOrCancel() async throws {
        let waiter = Waiter<Void>()
        let isOpen = state.withLock { state in
            state.waiters.append(waiter)
            return state.isOpen
        }
        if isOpen { waiter.finish(.success(())) }
        do {
            try await waiter.wait(
                begin: {},
                onCancel: { waiter.finish(.failure(NetpollError(.cancelled, "gate"))) }
            )
        } catch {
            throw CancellationError()
        }
    }

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            return state.waiters
        }
        for waiter in waiters { waiter.finish(.success(())) }
    }
}

/// A counter for handlers.
final class Counter: Sendable {
    private let count = Locked(0)
    var value: Int { count.withLock { $0 } }
    func increment() { count.withLock { $0 += 1 } }
}

/// A server of a handler on a free port.
struct HandlerFixture: Sendable {
    let loops: EventLoopGroup
    let server: RPCServer
    let address: SocketAddress

    init(
        _ options: RPCServerOptions = RPCServerOptions(),
        clock: ManualClock? = nil,
        takeOverThreshold: Duration? = EventLoopGroupOptions().takeOverThreshold,
        more: [any RPCService] = [],
        _ body: @escaping @Sendable (Echo_EchoRequest, RPCContext) async throws -> String
    ) throws {
        var loopOptions = clock?.options ?? EventLoopGroupOptions()
        loopOptions.takeOverThreshold = takeOverThreshold
        loops = try EventLoopGroup(count: 2, options: loopOptions)
        server = RPCServer(services: [Handler(body: body)] + more, options: options, group: loops)
        address = try server.start(on: [.tcp(host: "127.0.0.1", port: 0)])[0]
    }

    var port: Int { address.port }

    func client(_ connections: RPCClientOptions.Connections = .multiplexed(count: 1)) throws
        -> RPCClient
    {
        var options = RPCClientOptions()
        options.connections = connections
        return try RPCClient(to: address, options: options, group: loops)
    }

    func echo(_ connections: RPCClientOptions.Connections = .multiplexed(count: 1)) throws
        -> Echo_EchoClient
    {
        Echo_EchoClient(try client(connections))
    }

    func stop() async {
        await server.shutdown()
        await loops.shutdown()
    }
}
