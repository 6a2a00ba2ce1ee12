import NetpollCore
import NetpollProtobuf
import NetpollRPC
import TestProtos
import TestSupport
import Testing

@Suite("A client of a service in the domain name system", .timeLimit(.minutes(2)))
struct ServiceResolverTests {
    private func record(priority: UInt8, weight: UInt8, port: Int) -> [UInt8] {
        let target: [UInt8] = [9] + Array("localhost".utf8) + [0]
        let data = [0, priority, 0, weight, UInt8(port >> 8), UInt8(port & 255)] + target
        return [0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, UInt8(data.count)] + data
    }

    private func resolver(_ stub: NameServerStub) -> ServiceResolver {
        var resolver = ServiceResolver("_echo._tcp.example.org")
        resolver.nameServer = .tcp(host: "127.0.0.1", port: stub.port)
        return resolver
    }

    @Test("the records of the lowest priority are used, with their weights")
    func records() async throws {
        let fleet = try Fleet(2, loops: try EventLoopGroup(count: 2))
        let ports = fleet.addresses.map { address in
            if case .tcp(_, let port) = address { port } else { 0 }
        }
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
}
