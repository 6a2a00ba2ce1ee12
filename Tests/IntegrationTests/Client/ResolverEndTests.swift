import NetpollCore
import NetpollProtobuf
import NetpollRPC
import TestProtos
import Testing

@Suite("A resolver whose loops end", .timeLimit(.minutes(2)))
struct ResolverEndTests {
    /// Finds nothing, and counts how often it is asked.
    struct Useless: Resolver {
        let runs = Counter()

        func run(_ updates: EndpointUpdates) async throws {
            runs.increment()
            throw NetpollError(.invalidAddress, "nothing")
        }
    }

    @Test("it is not run again and again when a group ends before its client")
    func groupEnds() async throws {
        let loops = try EventLoopGroup(count: 1)
        let resolver = Useless()
        let client = try RPCClient(resolver: resolver, group: loops)
        let echo = Echo_EchoClient(client)
        let error = await #expect(throws: RPCError.self) { try await echo.echo(.init()) }
        #expect(error?.code == .unavailable)
        await loops.shutdown()
        let before = resolver.runs.value
        for _ in 0..<10_000 { await Task.yield() }
        #expect(resolver.runs.value <= before + 1)
        let late = await #expect(throws: RPCError.self) { try await echo.echo(.init()) }
        #expect(late?.code == .unavailable)
        await client.close()
    }
}
