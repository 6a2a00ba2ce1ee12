import Glibc
import NetpollTesting
import Synchronization
import Testing

@testable import NetpollCore

@Suite("Server", .timeLimit(.minutes(1)))
struct ServerTests {
    private let local = SocketAddress.tcp(host: "127.0.0.1", port: 0)

    /// Notes what happened in which order.
    private final class Log: Sendable {
        private let lines = Locked<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
    }

    @Test("handlers are called in order, requests one at a time, and the end is told once")
    func order() async throws {
        let group = try EventLoopGroup(count: 1)
        let log = Log()
        let handlers = ServerHandlers(
            onConnect: { _ in log.add("connect") },
            onDisconnect: { _ in log.add("disconnect") },
            onRequest: { connection in
                let byte = Array(try await connection.read(count: 1))[0]
                log.add("begin \(byte)")
                await Task.yield()
                log.add("end \(byte)")
                try await connection.write([byte])
            }
        )
        let server = Server(group: group, handlers: handlers)
        let address = try server.start(on: [local])[0]
        let client = try await Dialer(group: group).dial(address)
        try await client.write([1, 2])
        #expect(Array(try await client.read(count: 2)) == [1, 2])
        client.close()
        try await eventually("disconnect") { log.all.last == "disconnect" }
        #expect(log.all == ["connect", "begin 1", "end 1", "begin 2", "end 2", "disconnect"])
        await server.shutdown()
        await group.shutdown()
    }

    @Test("a handler that reads nothing is not called again until more bytes come")
    func unread() async throws {
        let group = try EventLoopGroup(count: 1)
        let calls = Log()
        let server = Server(
            group: group,
            handlers: ServerHandlers(onRequest: { connection in
                let count = await connection.bufferedByteCount()
                calls.add("\(count)")
                if count == 3 { try await connection.write(connection.read(count: 3)) }
            })
        )
        let client = try await Dialer(group: group).dial(try server.start(on: [local])[0])
        for byte: UInt8 in 1...3 {
            try await client.write([byte])
            try await eventually("call \(byte)") { calls.all.count == Int(byte) }
        }
        #expect(Array(try await client.read(count: 3)) == [1, 2, 3])
        #expect(calls.all == ["1", "2", "3"])
        await server.shutdown()
        await group.shutdown()
    }

    @Test("a connection that breaks cancels its running handler")
    func disconnect() async throws {
        let group = try EventLoopGroup(count: 1)
        let log = Log()
        let server = Server(
            group: group,
            handlers: ServerHandlers(
                onDisconnect: { _ in log.add("disconnect") },
                onRequest: { connection in
                    _ = try await connection.read()
                    log.add("begin")
                    try? await connection.loop.sleep(until: .distantFuture)
                    log.add("cancelled \(Task.isCancelled)")
                }
            )
        )
        let client = try RawClient(connectingTo: try server.start(on: [local])[0])
        client.send([1])
        try await eventually("begin") { log.all == ["begin"] }
        client.reset()
        try await eventually("disconnect") { log.all.count == 3 }
        #expect(log.all == ["begin", "cancelled true", "disconnect"])
        await server.shutdown()
        await group.shutdown()
    }

    @Test("a shutdown before the start is kept, and a server is started once")
    func latched() async throws {
        let group = try EventLoopGroup(count: 1)
        let server = Server(group: group, handlers: ServerHandlers(onRequest: { _ in }))
        await server.shutdown()
        let late = #expect(throws: NetpollError.self) { try server.start(on: [local]) }
        #expect(late?.code == .shutdown)
        try await server.run(on: [local])
        let other = Server(group: group, handlers: ServerHandlers(onRequest: { _ in }))
        try other.start(on: [local])
        let second = #expect(throws: NetpollError.self) { try other.start(on: [local]) }
        #expect(second?.code == .shutdown)
        await other.shutdown()
        await group.shutdown()
    }

    @Test("any number of shutdowns wait for the end, and all return")
    func manyShutdowns() async throws {
        let group = try EventLoopGroup(count: 1)
        let (hasBegun, mayEnd) = (Waiter<Void>(), Waiter<Void>())
        let server = Server(
            group: group,
            handlers: ServerHandlers(onRequest: { connection in
                _ = try await connection.read(count: 1)
                hasBegun.finish(.success(()))
                try await mayEnd.wait(begin: {}, onCancel: {})
            })
        )
        let address = try server.start(on: [local])[0]
        let connection = try await Dialer(group: group).dial(address)
        try await connection.write([1])
        try await hasBegun.wait(begin: {}, onCancel: {})
        let (begun, returned) = (Shared(0), Shared(0))
        for _ in 0..<5 {
            Task {
                begun.update { $0 += 1 }
                await server.shutdown(within: .seconds(60))
                returned.update { $0 += 1 }
            }
        }
        try await eventually("all have begun") { begun.value == 5 }
        for loop in group.loops { await loop.turn() }
        #expect(returned.value == 0)
        mayEnd.finish(.success(()))
        connection.close()
        try await eventually("all return") { returned.value == 5 }
        await group.shutdown()
    }

    @Test("a shutdown serves the backlog, closes idle connections and waits for busy ones")
    func drain() async throws {
        let group = try EventLoopGroup(count: 1)
        let log = Log()
        let mayEnd = Waiter<Void>()
        let server = Server(
            group: group,
            handlers: ServerHandlers(onRequest: { connection in
                let byte = try await connection.read(count: 1)
                log.add("begin")
                if Array(byte) == [1] { try await mayEnd.wait(begin: {}, onCancel: {}) }
                try await connection.write(byte)
            })
        )
        let address = try server.start(on: [local])[0]
        let busy = try await Dialer(group: group).dial(address)
        let idle = try await Dialer(group: group).dial(address)
        try await busy.write([1])
        try await idle.write([2])
        _ = try await idle.read(count: 1)
        try await eventually("both began") { log.all.count == 2 }
        let shutdown = Task { await server.shutdown(within: .seconds(30)) }
        #expect(try await idle.read() == nil, "the idle one is closed")
        #expect(busy.isActive)
        mayEnd.finish(.success(()))
        #expect(Array(try await busy.read(count: 1)) == [1])
        #expect(try await busy.read() == nil)
        await shutdown.value
        #expect(server.connectionCount == 0)
        await group.shutdown()
    }

    @Test("handlers that outlast the shutdown's timeout are cancelled and their connections cut")
    func forced() async throws {
        let clock = ManualClock()
        let group = try EventLoopGroup(count: 1, options: clock.options)
        let log = Log()
        let server = Server(
            group: group,
            handlers: ServerHandlers(onRequest: { connection in
                _ = try await connection.read()
                log.add("begin")
                try? await connection.loop.sleep(until: .distantFuture)
            })
        )
        let client = try await Dialer(group: group).dial(try server.start(on: [local])[0])
        try await client.write([1])
        try await eventually("begin") { log.all == ["begin"] }
        let shutdown = Task { await server.shutdown(within: .seconds(60)) }
        // The timer is the drain's; the client's connection has none.
        while await group.loops[0].timerCount() < 2 {}
        #expect(server.connectionCount == 1)
        await clock.advance(by: .seconds(61))
        await shutdown.value
        #expect(server.connectionCount == 0)
        await group.shutdown()
    }

    @Test("a peer that is not admitted is closed before it is registered")
    func admission() async throws {
        let group = try EventLoopGroup(count: 1)
        let asked = Log()
        var options = ListenerOptions()
        options.admits = { peer in
            asked.add("\(peer)")
            return false
        }
        let listener = try Listener(on: local, group: group, options: options) { _ in
            asked.add("registered")
            return nil
        }
        let client = try await Dialer(group: group).dial(listener.localAddress)
        #expect(try await client.read() == nil)
        #expect(asked.all.count == 1 && asked.all[0].hasPrefix("tcp://127.0.0.1:"))
        #expect(listener.connectionCount == 0)
        await listener.close()
        await group.shutdown()
    }

    @Test("listeners share a port that says so, and an IPv6 listener may leave IPv4 to others")
    func sharing() async throws {
        let group = try EventLoopGroup(count: 1)
        var options = ListenerOptions()
        options.reusesPort = true
        let first = try Listener(on: local, group: group, options: options) { _ in nil }
        let second = try Listener(on: first.localAddress, group: group, options: options) { _ in
            nil
        }
        #expect(first.localAddress == second.localAddress)
        var only6 = ListenerOptions()
        only6.acceptsIPv6Only = true
        let six = try Listener(on: .tcp(host: "::", port: 0), group: group, options: only6) {
            _ in nil
        }
        guard case .tcp(_, let port) = six.localAddress else { return #expect(Bool(false)) }
        let four = try Listener(on: .tcp(host: "0.0.0.0", port: port), group: group) { _ in nil }
        for listener in [first, second, six, four] { await listener.close() }
        await group.shutdown()
    }

    @Test("a request that comes while the last is handled is not lost")
    func requestDuringHandler() async throws {
        let group = try EventLoopGroup(count: 1)
        let pair = ConnectedPair(group: group)
        let calls = Log()
        let begun = CountingLatch(1)
        let gate = CountingLatch(1)
        let served = ServedConnection(
            pair.second,
            ServerHandlers(onRequest: { connection in
                let request = try await connection.read(count: 10)
                calls.add("\(Array(request)[0])")
                begun.hit()
                await gate.reached()
                try await connection.write(request)
            })
        )
        served.begin {}
        try await pair.first.write([UInt8](repeating: 1, count: 10))
        await begun.reached()
        try await pair.first.write([UInt8](repeating: 2, count: 10))
        while await pair.second.bufferedByteCount() < 10 { await Task.yield() }
        gate.hit()
        #expect(Array(try await pair.first.read(count: 20)).last == 2)
        #expect(calls.all == ["1", "2"])
        pair.first.close()
        await group.shutdown()
    }

    @Test(
        "peers that wait in the backlog are all served when the server shuts down",
        arguments: [150]
    )
    func backlog(count: Int) async throws {
        let clock = ManualClock()
        // The listener pauses after its first accept, so everybody else waits in the backlog.
        let script = ScriptedFaults(accepts: [.fail(EMFILE)])
        var options = clock.options
        options.faults = script
        let group = try EventLoopGroup(count: 2, options: options)
        let accepted = Atomic(0)
        var listenerOptions = ListenerOptions()
        listenerOptions.backlog = 256
        let listener = try Listener(
            on: .unix(path: "@netpoll-backlog-\(getpid())"),
            group: group,
            options: listenerOptions
        ) { _ in
            accepted.add(1, ordering: .relaxed)
            return Echo()
        }
        let address = listener.localAddress
        let clients = try (0..<count).map { _ in try RawClient(connectingTo: address) }
        await listener.close()
        #expect(accepted.load(ordering: .relaxed) == count)
        _ = clients
        await group.shutdown()
    }

    @Test("a handler that ignores its cancellation does not hold up the shutdown")
    func stubborn() async throws {
        let group = try EventLoopGroup(count: 1)
        let begun = CountingLatch(1)
        let gate = CountingLatch(1)
        let server = Server(
            group: group,
            handlers: ServerHandlers(onRequest: { connection in
                _ = try await connection.read()
                begun.hit()
                await gate.reached()
            })
        )
        let client = try await Dialer(group: group).dial(try server.start(on: [local])[0])
        try await client.write([1])
        await begun.reached()
        await server.shutdown(within: .milliseconds(10))
        #expect(server.connectionCount == 1, "the handler is still there")
        gate.hit()
        try await eventually("it has left") { server.connectionCount == 0 }
        await group.shutdown()
    }

    @Test("a handler that throws, or closes, ends its own connection only")
    func failingHandlers() async throws {
        struct Failure: Error {}
        let group = try EventLoopGroup(count: 1)
        let log = Log()
        let server = Server(
            group: group,
            handlers: ServerHandlers(
                onConnect: { connection in
                    if log.all.isEmpty {
                        log.add("closed in onConnect")
                        connection.close()
                    }
                },
                onDisconnect: { _ in log.add("disconnect") },
                onRequest: { connection in
                    let byte = Array(try await connection.read(count: 1))[0]
                    if byte == 0 { throw Failure() }
                    try await connection.write([byte])
                }
            )
        )
        let address = try server.start(on: [local])[0]
        let dialer = Dialer(group: group)
        let closed = try await dialer.dial(address)
        #expect(try await closed.read() == nil)
        let good = try await dialer.dial(address)
        let bad = try await dialer.dial(address)
        try await bad.write([0])
        #expect(try await bad.read() == nil)
        try await good.write([7])
        #expect(Array(try await good.read(count: 1)) == [7])
        try await eventually("both have left") { log.all.filter { $0 == "disconnect" }.count == 2 }
        // A connection is counted until the handler that is told last has returned.
        try await eventually("one is left") { server.connectionCount == 1 }
        await server.shutdown()
        await group.shutdown()
    }
}
