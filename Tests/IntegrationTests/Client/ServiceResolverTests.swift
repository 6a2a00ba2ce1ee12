import NetpollCore
import NetpollProtobuf
import NetpollRPC
import NetpollTesting
import TestProtos
import TestSupport
import Testing

@Suite("A client of a service in the domain name system", .timeLimit(.minutes(2)))
struct ServiceResolverTests {
    private func record(priority: UInt8 = 1, weight: UInt8 = 1, port: Int, life: UInt8 = 60)
        -> [UInt8]
    {
        let target: [UInt8] = [9] + Array("localhost".utf8) + [0]
        let data = [0, priority, 0, weight, UInt8(port >> 8), UInt8(port & 255)] + target
        return [0xC0, 12, 0, 33, 0, 1, 0, 0, 0, life, 0, UInt8(data.count)] + data
    }

    private func ports(_ fleet: Fleet) -> [Int] {
        fleet.addresses.map { address in
            if case .tcp(_, let port) = address { port } else { 0 }
        }
    }

    private func resolver(_ stub: NameServerStub) -> ServiceResolver {
        var resolver = ServiceResolver("_echo._tcp.example.org")
        resolver.nameServer = .tcp(host: "127.0.0.1", port: stub.port)
        return resolver
    }

    @Test("the records of the lowest priority are used, with their weights")
    func records() async throws {
        let fleet = try Fleet(2, loops: try EventLoopGroup(count: 2))
        let ports = ports(fleet)
        let stub = try NameServerStub()
        var options = RPCClientOptions()
        options.loadBalancer = .weightedRoundRobin
        let client = try RPCClient(resolver: resolver(stub), options: options, group: fleet.loops)
        let first = Task { try await Echo_EchoClient(client).echo(.init()).msg }
        let records =
            record(priority: 1, weight: 3, port: ports[0])
            + record(priority: 1, weight: 1, port: ports[1])
            + record(priority: 2, weight: 9, port: 1)
        try stub.answer(records, count: 3)
        var replies = [try await first.value: 1]
        for _ in 0..<7 {
            replies[try await Echo_EchoClient(client).echo(.init()).msg, default: 0] += 1
        }
        #expect(replies == ["0": 6, "1": 2])
        await client.close()
        await fleet.stop()
    }

    @Test("a name that does not exist fails the call")
    func noName() async throws {
        let loops = try EventLoopGroup(count: 1)
        let stub = try NameServerStub()
        let client = try RPCClient(resolver: resolver(stub), group: loops)
        let call = Task { try await Echo_EchoClient(client).echo(.init()) }
        try stub.answer([], count: 0, code: 3)
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.code == .unavailable)
        #expect((error?.cause as? NetpollError)?.code == .invalidAddress)
        await client.close()
        await loops.shutdown()
    }

    /// A client on a clock that the test moves, and the name server that it asks.
    private struct Scene {
        private let name = "_echo._tcp.example.org"
        private let nameServer: SocketAddress
        let clock = ManualClock()
        let fleet: Fleet
        let loops: EventLoopGroup
        let stub: NameServerStub
        let client: RPCClient

        init(_ count: Int) throws {
            fleet = try Fleet(count, loops: try EventLoopGroup(count: 1))
            loops = try EventLoopGroup(count: 1, options: clock.options)
            let stub = try NameServerStub()
            self.stub = stub
            nameServer = .tcp(host: "127.0.0.1", port: stub.port)
            var resolver = ServiceResolver(name)
            resolver.nameServer = nameServer
            client = try RPCClient(resolver: resolver, group: loops)
        }

        func call() async throws -> String { try await Echo_EchoClient(client).echo(.init()).msg }

        /// Makes the first call and answers the question that it leads to.
        func begin(_ records: [UInt8], count: UInt8) async throws -> String {
            let first = Task { try await call() }
            try await answer(records, count: count)
            return try await first.value
        }

        /// Answers the next question and returns once the resolver has the answer.
        func answer(_ records: [UInt8], count: UInt8, code: UInt8 = 0) async throws {
            while !stub.hasQuestion { await Task.yield() }
            // Who asks for the same name meanwhile gets the same answer, after the resolver.
            let isDone = Locked(false)
            let other = Task {
                _ = try? await loops.serviceRecords(name, nameServer: nameServer)
                isDone.withLock { $0 = true }
            }
            try stub.answer(records, count: count, code: code)
            while !isDone.withLock({ $0 }) {
                // It came too late and asks by itself.
                if stub.hasQuestion { try stub.answer(records, count: count, code: code) }
                await Task.yield()
            }
            await other.value
            await loops.loops[0].turn()
        }

        /// Lets time pass until just before the next look-up, then the rest.
        func pass(_ time: Duration) async throws {
            await clock.advance(by: time - .milliseconds(1))
            #expect(!stub.hasQuestion, "a look-up before \(time) have passed")
            await clock.advance(by: .milliseconds(1))
        }

        var replies: Set<String> {
            get async throws {
                var seen: Set<String> = []
                for _ in 0..<6 { seen.insert(try await call()) }
                return seen
            }
        }

        /// Waits until these servers answer and no others: the client learns of a list a moment after
        /// its resolver.
        func expectReplies(_ expected: Set<String>, _ comment: Comment? = nil) async throws {
            let end = Deadline.after(.seconds(30))
            while try await replies != expected, Deadline.now() < end { await Task.yield() }
            #expect(try await replies == expected, comment)
        }

        func stop() async {
            await client.close()
            await loops.shutdown()
            await fleet.stop()
        }
    }

    // Row C15.
    @Test("a list is renewed when its time is over: it grows, shrinks and changes")
    func renewal() async throws {
        let scene = try Scene(3)
        let ports = ports(scene.fleet)
        #expect(try await scene.begin(record(port: ports[0]), count: 1) == "0")
        try await scene.pass(.seconds(30))
        try await scene.answer(ports.flatMap { record(port: $0, life: 7) }, count: 3)
        try await scene.expectReplies(["0", "1", "2"])
        // The records' own life is shorter than the resolver's interval.
        try await scene.pass(.seconds(7))
        try await scene.answer(record(port: ports[2]), count: 1)
        try await scene.expectReplies(["2"])
        while scene.fleet.servers[0].connectionCount > 0 { await Task.yield() }
        await scene.stop()
    }

    // Row C15.
    @Test("records that live no time are asked for no oftener than the minimum")
    func noLife() async throws {
        let scene = try Scene(2)
        let ports = ports(scene.fleet)
        #expect(try await scene.begin(record(port: ports[0], life: 0), count: 1) == "0")
        for round in 1...4 {
            try await scene.pass(.seconds(5))
            try await scene.answer(record(port: ports[round % 2], life: 0), count: 1)
            try await scene.expectReplies(["\(round % 2)"])
        }
        await scene.stop()
    }

    // Row C15.
    @Test("while look-ups fail the last list is used, and they go on at the minimum's pace")
    func failure() async throws {
        let scene = try Scene(2)
        let ports = ports(scene.fleet)
        #expect(try await scene.begin(record(port: ports[0]), count: 1) == "0")
        try await scene.pass(.seconds(30))
        try await scene.answer([], count: 0, code: 3)
        try await scene.expectReplies(["0"], "after: there is no such name")
        try await scene.pass(.seconds(5))
        try await scene.answer([], count: 0)
        try await scene.expectReplies(["0"], "after: the name has no servers")
        try await scene.pass(.seconds(5))
        try await scene.answer([0xC0, 12, 0, 33], count: 200)
        try await scene.expectReplies(["0"], "after a malformed answer")
        try await scene.pass(.seconds(5))
        // Nobody answers: a thread of its own waits for that, and no call does.
        while !scene.stub.hasQuestion { await Task.yield() }
        try await scene.expectReplies(["0"], "while nobody answers")
        try await scene.answer(record(port: ports[1]), count: 1)
        try await scene.expectReplies(["1"])
        await scene.stop()
    }

    // Row C15.
    @Test("an endpoint that cannot be reached leads to a look-up before the list's time is over")
    func unreachable() async throws {
        let scene = try Scene(1)
        let nobody = try RawListener().port
        let first = Task { try await scene.call() }
        try await scene.answer(record(port: nobody), count: 1)
        await #expect(throws: RPCError.self) { try await first.value }
        try await scene.pass(.seconds(5))
        try await scene.answer(record(port: ports(scene.fleet)[0]), count: 1)
        try await scene.expectReplies(["0"])
        // Nothing is wrong any more, so the next is due in its time.
        try await scene.pass(.seconds(30))
        await scene.stop()
    }

    // Row C15.
    @Test("a first look-up that fails is made again soon")
    func firstFailure() async throws {
        let scene = try Scene(1)
        let first = Task { try await scene.call() }
        try await scene.answer([], count: 0, code: 3)
        await #expect(throws: RPCError.self) { try await first.value }
        try await scene.pass(.seconds(5))
        try await scene.answer(record(port: ports(scene.fleet)[0]), count: 1)
        try await scene.expectReplies(["0"])
        await scene.stop()
    }

    // Row C15.
    @Test("a hundred answers are all used")
    func manyAnswers() async throws {
        let scene = try Scene(1)
        let port = ports(scene.fleet)[0]
        let records = (0..<99).flatMap { record(weight: 1, port: 20_000 + $0) }
        _ = try? await scene.begin(records + record(port: port), count: 100)
        #expect(scene.client.endpoints.count == 100)
        await scene.stop()
    }

    @Test("servers of a later priority get calls only while none of an earlier one can be reached")
    func priorities() async throws {
        let scene = try Scene(3)
        let ports = ports(scene.fleet)
        let records =
            record(priority: 10, weight: 9, port: ports[1])
            + record(priority: 3, weight: 0, port: ports[0])
            + record(priority: 20, weight: 9, port: ports[2])
        #expect(try await scene.begin(records, count: 3) == "0")
        try await scene.expectReplies(["0"])
        await scene.fleet.servers[0].shutdown()
        try await scene.expectReplies(["1"])
        await scene.fleet.servers[1].shutdown()
        try await scene.expectReplies(["2"])
        let service = ScriptedEcho { _, _ in .with { $0.msg = "back" } }
        let server = RPCServer(services: [service], group: scene.fleet.loops)
        try server.start(on: [.tcp(host: "127.0.0.1", port: ports[0])])
        // A call that comes after the back-off leads to a dial that it does not wait for.
        while try await scene.call() != "back" {
            await scene.clock.advance(by: .milliseconds(100))
        }
        try await scene.expectReplies(["back"])
        await server.shutdown()
        await scene.stop()
    }
}
