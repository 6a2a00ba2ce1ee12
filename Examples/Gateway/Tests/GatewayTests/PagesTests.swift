import FilmAPI
import NetpollCore
import NetpollProtobuf
import NetpollRPC
import NetpollRPCTesting
import Observability
import Testing

@testable import FilmServices

/// The gateway and its backends in memory, on one clock.
@Suite("Pages", .timeLimit(.minutes(1)))
struct PagesTests {
    /// Runs a test against a gateway of two backends.
    private func withGateway(
        _ catalog: any Film_CatalogService = CatalogService(),
        _ recommendations: any Film_RecommendationsService = RecommendationsService(),
        tracer: RecordingTracer? = nil,
        metrics: PrintedMetrics = PrintedMetrics(),
        _ body: (_ gateway: TestServer, _ pages: Film_PagesClient, _ backends: TestServer)
            async throws -> Void
    ) async throws {
        let clientTracing = [ClientTracingInterceptor(tracer: tracer)]
        let serverTracing = [ServerTracingInterceptor(tracer: tracer)]
        try await withTestServer(of: catalog, recommendations, interceptors: serverTracing) {
            backends in
            let client = try RPCClient(inProcess: backends.server, interceptors: clientTracing)
            let pages = PagesService(catalog: client, recommendations: client, metrics: metrics)
            try await withTestServer(
                of: pages,
                clock: backends.clock,
                interceptors: serverTracing
            ) { gateway in
                let client = try RPCClient(inProcess: gateway.server, interceptors: clientTracing)
                try await body(gateway, Film_PagesClient(client), backends)
            }
        }
    }

    @Test("a page has its film and its recommendations")
    func page() async throws {
        try await withGateway { _, pages, _ in
            let page = try await pages.getPage(.with { $0.id = "solaris" })
            #expect(page.film.title == "Solaris")
            #expect(page.similar == ["stalker", "metropolis"])
            #expect(!page.isDegraded)
        }
    }

    @Test("recommendations that take too long are left out, and counted")
    func degraded() async throws {
        let metrics = PrintedMetrics()
        let begun = AsyncStream.makeStream(of: Void.self)
        let slow = ScriptedRecommendations { _ in
            begun.continuation.yield()
            try await Task.sleep(for: .seconds(3600))
        }
        try await withGateway(CatalogService(), slow, metrics: metrics) { gateway, pages, _ in
            let call = Task {
                try await pages.getPage(.with { $0.id = "solaris" }, timeout: .seconds(10))
            }
            for await _ in begun.stream { break }
            await gateway.advance(by: PagesService.patience)
            let page = try await call.value
            #expect(page.film.title == "Solaris")
            #expect(page.isDegraded)
            #expect(metrics.lines == ["film.pages.degraded 1"])
        }
    }

    @Test("the backend's business error is the gateway's, and the other call is cancelled")
    func notFound() async throws {
        let wasCancelled = Shared(false)
        let begun = AsyncStream.makeStream(of: Void.self)
        let catalog = ScriptedCatalog { _ in
            for await _ in begun.stream { break }
            throw BusinessError(404, "no")
        }
        let slow = ScriptedRecommendations { _ in
            begun.continuation.yield()
            do {
                try await Task.sleep(for: .seconds(3600))
            } catch {
                wasCancelled.value = true
                throw error
            }
        }
        try await withGateway(catalog, slow) { _, pages, backends in
            let error = await #expect(throws: BusinessError.self) {
                try await pages.getPage(.with { $0.id = "alien" }, timeout: .seconds(10))
            }
            #expect(error?.status == 404)
            // The gateway waits no longer; the backend is told by its deadline.
            while backends.server.callCount > 0 { await backends.advance(by: .milliseconds(50)) }
            #expect(wasCancelled.value)
        }
    }

    @Test("backends get no more time than the caller gives the gateway")
    func deadline() async throws {
        let deadlines = Shared<[Deadline]>([])
        let note: @Sendable (RPCContext) -> Void = { deadlines.value.append($0.deadline) }
        try await withGateway(ScriptedCatalog(body: note), ScriptedRecommendations(body: note)) {
            gateway,
            pages,
            _ in
            let end = gateway.clock.deadline(after: .milliseconds(100))
            _ = try await pages.getPage(.with { $0.id = "a" }, timeout: .milliseconds(100))
            #expect(deadlines.value == [end, end])
        }
    }

    @Test("one trace goes through all")
    func trace() async throws {
        let lines = Shared<[String]>([])
        let tracer = RecordingTracer(process: "p") { lines.value.append($0) }
        try await withGateway(tracer: tracer) { _, pages, _ in
            _ = try await pages.getPage(.with { $0.id = "solaris" })
        }
        let traces = try SpanTree.traces(of: lines.value)
        try #require(traces.count == 1)
        let shape = traces[0].lines.map { $0.prefix { $0 != "," } }
        #expect(shape.count == 6)
        #expect(shape.first == "p: client film.Pages/GetPage")
        #expect(shape.dropFirst().first == "└─ p: server film.Pages/GetPage")
        for service in ["Catalog/GetFilm", "Recommendations/ListSimilar"] {
            let below = shape.filter { $0.hasSuffix("film.\(service)") }
            #expect(below.count == 2)
            #expect(below.first?.contains("─ p: client") == true)
            #expect(below.last?.contains("└─ p: server") == true)
        }
    }
}
