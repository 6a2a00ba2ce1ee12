import FilmAPI
import NetpollCore
import NetpollProtobuf
import NetpollRPC
import Synchronization
import Testing

@testable import FilmServices

/// Two replicas of each backend on loopback, called as the gateway calls them.
@Suite("Replicas", .timeLimit(.minutes(1)))
struct ReplicaTests {
    private func start(_ services: [any RPCService], _ loops: EventLoopGroup) throws
        -> (servers: [RPCServer], addresses: [SocketAddress])
    {
        var options = RPCServerOptions()
        options.drainTimeout = .zero
        let servers = services.map { RPCServer(services: [$0], options: options, group: loops) }
        let addresses = try servers.flatMap {
            try $0.start(on: [.tcp(host: "127.0.0.1", port: 0)])
        }
        return (servers, addresses)
    }

    @Test("a hedge wins against a replica that does not answer")
    func hedge() async throws {
        let loops = try EventLoopGroup(count: 2)
        let stuck = ScriptedCatalog { _ in try await Task.sleep(for: .seconds(3600)) }
        let (servers, addresses) = try start([stuck, CatalogService()], loops)
        let client = try RPCClient(
            resolver: StaticResolver(addresses),
            options: PagesService.catalogOptions,
            group: loops
        )
        var attempts: [Int] = []
        for _ in 0..<4 {
            let info = ReplyInfo()
            var options = CallOptions()
            options.replyInfo = info
            let film = try await Film_CatalogClient(client).getFilm(
                .with { $0.id = "stalker" },
                timeout: .seconds(20),
                options: options
            )
            #expect(film.year == 1979)
            #expect(info.address == addresses[1])
            attempts.append(info.attempts)
        }
        #expect(attempts.sorted().suffix(2) == [2, 2])
        await client.close()
        for server in servers { await server.shutdown() }
        await loops.shutdown()
    }

    @Test("a replica that fails is left out, and comes back when it is well again")
    func breaker() async throws {
        let loops = try EventLoopGroup(count: 2)
        let isBroken = Shared(true)
        let replica = ScriptedRecommendations { _ in
            if isBroken.value { throw RPCError(.internalError, "broken") }
        }
        let (servers, addresses) = try start([replica, RecommendationsService()], loops)
        var options = PagesService.recommendationsOptions
        options.circuitBreaker?.openTime = .milliseconds(50)
        let client = try RPCClient(
            resolver: StaticResolver(addresses),
            options: options,
            group: loops
        )
        // No caller notices anything.
        func call(until condition: (EndpointStatistics) -> Bool) async throws {
            repeat {
                _ = try await Film_RecommendationsClient(client).listSimilar(.init())
            } while !client.endpoints.contains {
                $0.endpoint.address == addresses[0] && condition($0)
            }
        }
        try await call { $0.isEjected }
        isBroken.value = false
        try await call { !$0.isEjected }
        await client.close()
        for server in servers { await server.shutdown() }
        await loops.shutdown()
    }
}
