import NetpollCore
import NetpollProtobuf
import NetpollRPC
import NetpollTesting
import TestProtos
import TestSupport
import Testing

@Suite("A client of several endpoints", .timeLimit(.minutes(2)))
struct ClientEndpointTests {
    private func freePort() throws -> Int { try RawListener().port }

    private func replies(_ echo: Echo_EchoClient, _ count: Int) async throws -> [String: Int] {
        var replies: [String: Int] = [:]
        for _ in 0..<count { replies[try await echo.echo(.init()).msg, default: 0] += 1 }
        return replies
    }

    @Test("calls are spread, and a dead endpoint costs no call", arguments: CallTests.modes)
    func dead(mode: RPCClientOptions.Connections) async throws {
        let fleet = try Fleet(2, loops: try EventLoopGroup(count: 2))
        let nobody = SocketAddress.tcp(host: "127.0.0.1", port: try freePort())
        var options = RPCClientOptions()
        options.connections = mode
        let resolver = StaticResolver(fleet.addresses + [nobody])
        let client = try RPCClient(resolver: resolver, options: options, group: fleet.loops)
        let echo = Echo_EchoClient(client)
        let counts = try await replies(echo, 60)
        #expect(counts.values.reduce(0, +) == 60 && counts.values.allSatisfy { $0 >= 15 })
        let dead = try #require(client.endpoints.first { $0.endpoint.address == nobody })
        #expect(dead.isUnreachable && dead.ended <= 60 / 3)
        await fleet.servers[0].shutdown()
        #expect(try await replies(echo, 60) == ["1": 60])
        await client.close()
        await fleet.stop()
    }

    @Test("the list changes under calls, and an empty list keeps the last one")
    func lists() async throws {
        let fleet = try Fleet(3, loops: try EventLoopGroup(count: 2))
        let endpoints = fleet.addresses.map { Endpoint($0) }
        let resolver = ManualResolver([endpoints[0]])
        let client = try RPCClient(resolver: resolver, group: fleet.loops)
        let echo = Echo_EchoClient(client)
        #expect(try await replies(echo, 10) == ["0": 10])
        resolver.publish(Array(endpoints[1...]))
        #expect(try await replies(echo, 10) == ["1": 5, "2": 5])
        resolver.publish([])
        #expect(try await replies(echo, 10) == ["1": 5, "2": 5])
        while fleet.servers[0].connectionCount > 0 { await Task.yield() }
        await client.close()
        await fleet.stop()
    }

    @Test("a key stays with one endpoint")
    func key() async throws {
        let fleet = try Fleet(3, loops: try EventLoopGroup(count: 2))
        var options = RPCClientOptions()
        options.loadBalancer = .consistentHash()
        let client = try RPCClient(
            resolver: StaticResolver(fleet.addresses),
            options: options,
            group: fleet.loops
        )
        var seen: Set<String> = []
        for number in 0..<30 {
            var call = CallOptions()
            call.loadBalancingKey = "user-\(number)"
            let echo = Echo_EchoClient(client)
            let first = try await echo.echo(.init(), options: call).msg
            #expect(try await echo.echo(.init(), options: call).msg == first)
            seen.insert(first)
        }
        #expect(seen.count == 3)
        await client.close()
        await fleet.stop()
    }

    @Test("a server that refuses a call sends it elsewhere")
    func elsewhere() async throws {
        let fleet = try Fleet(2, loops: try EventLoopGroup(count: 2)) { number, _, _ in
            if number == 0 { throw RPCError(.resourceExhausted, "busy", retry: .elsewhere) }
        }
        let client = try RPCClient(
            resolver: StaticResolver(fleet.addresses),
            group: fleet.loops
        )
        #expect(try await replies(Echo_EchoClient(client), 20) == ["1": 20])
        await client.close()
        await fleet.stop()
    }

    @Test("a peer that is stopped loses a few calls to their deadlines, then gets none")
    func stopped() async throws {
        let clock = ManualClock()
        let fleet = try Fleet(1, loops: try EventLoopGroup(count: 1))
        let timed = try EventLoopGroup(count: 1, options: clock.options)
        // The kernel accepts for it; nobody answers.
        let silent = try RawListener()
        let stopped = SocketAddress.tcp(host: "127.0.0.1", port: silent.port)
        let client = try RPCClient(
            resolver: StaticResolver(fleet.addresses + [stopped]),
            group: timed
        )
        let echo = Echo_EchoClient(client)
        var late = 0
        for _ in 0..<40 {
            let call = Task { try await echo.echo(.init(), timeout: .seconds(20)).msg }
            do {
                #expect(try await clock.advance(until: call) == "0")
            } catch let error as RPCError {
                #expect(error.code == .deadlineExceeded)
                late += 1
            }
        }
        #expect(late >= 1 && late <= 12, "\(late)")
        #expect(client.endpoints.contains { $0.endpoint.address == stopped && $0.isEjected })
        await client.close()
        await timed.shutdown()
        await fleet.stop()
    }

    @Test("without a server a call fails at once, unless it waits for one")
    func waitsForReady() async throws {
        let clock = ManualClock()
        let loops = try EventLoopGroup(count: 1, options: clock.options)
        let port = try freePort()
        let client = try RPCClient(to: .tcp(host: "127.0.0.1", port: port), group: loops)
        let echo = Echo_EchoClient(client)
        let error = await #expect(throws: RPCError.self) { try await echo.echo(.init()) }
        #expect(error?.code == .unavailable)
        var options = CallOptions()
        options.waitsForReady = true
        let hopeless = Task { [options] in
            try await echo.echo(.init(), timeout: .seconds(3), options: options).msg
        }
        let late = await #expect(throws: RPCError.self) {
            try await clock.advance(until: hopeless)
        }
        #expect(late?.code == .deadlineExceeded)
        let patient = Task { [options] in
            try await echo.echo(.init(), timeout: .seconds(600), options: options).msg
        }
        await clock.advance(by: .seconds(1))
        let service = ScriptedEcho { _, _ in .with { $0.msg = "up" } }
        let server = RPCServer(services: [service], group: loops)
        try server.start(on: [.tcp(host: "127.0.0.1", port: port)])
        #expect(try await clock.advance(until: patient) == "up")
        await client.close()
        let end = Task { await server.shutdown() }
        while server.connectionCount > 0 { await clock.advance(by: .milliseconds(100)) }
        await end.value
        await loops.shutdown()
    }

    @Test("an endpoint that swallows connections costs time once, and no call")
    func blackHole() async throws {
        let clock = ManualClock()
        let fleet = try Fleet(1, loops: try EventLoopGroup(count: 1))
        let timed = try EventLoopGroup(count: 1, options: clock.options)
        // Its queue has one place; the kernel drops what comes after.
        let listener = try RawListener(backlog: 0)
        let occupant = try RawSocket(port: listener.port)
        let hole = SocketAddress.tcp(host: "127.0.0.1", port: listener.port)
        let client = try RPCClient(
            resolver: StaticResolver([hole] + fleet.addresses),
            group: timed
        )
        let echo = Echo_EchoClient(client)
        var waited = 0
        for _ in 0..<20 {
            let start = clock.now()
            let call = Task { try await echo.echo(.init(), timeout: .seconds(600)).msg }
            #expect(try await clock.advance(until: call, by: .milliseconds(1)) == "0")
            if clock.now().timeRemaining(from: start) >= .seconds(1) { waited += 1 }
        }
        #expect(waited <= 1, "\(waited) calls waited for the connect timeout")
        #expect(client.endpoints.contains { $0.endpoint.address == hole && $0.isUnreachable })
        occupant.close()
        await client.close()
        await timed.shutdown()
        await fleet.stop()
    }

    @Test("a resolver that fails fails the calls, with its error as the cause")
    func failingResolver() async throws {
        struct Failing: Resolver {
            func run(_ updates: EndpointUpdates) async throws {
                throw NetpollError(.invalidAddress, "no such service")
            }
        }
        let loops = try EventLoopGroup(count: 1)
        let client = try RPCClient(resolver: Failing(), group: loops)
        for _ in 0..<2 {
            let error = await #expect(throws: RPCError.self) {
                try await Echo_EchoClient(client).echo(.init())
            }
            #expect(error?.code == .unavailable)
            #expect((error?.cause as? NetpollError)?.message == "no such service")
        }
        await client.close()
        await loops.shutdown()
    }

    @Test("a host name is resolved")
    func dns() async throws {
        let fleet = try Fleet(1, loops: try EventLoopGroup(count: 1))
        guard case .tcp(_, let port) = fleet.addresses[0] else { return }
        let client = try RPCClient(
            resolver: DNSResolver(host: "127.0.0.1", port: port),
            group: fleet.loops
        )
        #expect(try await replies(Echo_EchoClient(client), 3) == ["0": 3])
        await client.close()
        await fleet.stop()
    }
}
