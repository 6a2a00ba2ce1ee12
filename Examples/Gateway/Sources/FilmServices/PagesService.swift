import FilmAPI
import Metrics
import NetpollCore
import NetpollProtobuf
import NetpollRPC

/// The gateway: asks the catalog and the recommendations at once and makes a page of both.
///
/// Both calls end by the deadline of the call that is served; nothing has to be passed on for that.
/// A page needs its film; without recommendations it is degraded.
package struct PagesService: Film_PagesService {
    /// How long a page waits for its recommendations, if the caller waits that long.
    package static let patience: Duration = .milliseconds(300)

    private let catalog: RPCClient
    private let recommendations: RPCClient
    private let degraded: Counter

    /// Creates the service.
    ///
    /// - Parameters:
    ///   - catalog: Calls the catalog; see ``catalogOptions``.
    ///   - recommendations: Calls the recommendations; see ``recommendationsOptions``.
    ///   - metrics: Where degraded pages are counted.
    package init(
        catalog: RPCClient,
        recommendations: RPCClient,
        metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        self.catalog = catalog
        self.recommendations = recommendations
        degraded = Counter(label: "film.pages.degraded", dimensions: [], factory: metrics)
    }

    package func getPage(_ request: Film_GetPageRequest, context: RPCContext) async throws
        -> Film_Page
    {
        // When the film cannot be had, leaving the function cancels the other call.
        async let similar = similar(to: request.id)
        let (info, options) = Self.watched()
        let film = try await Film_CatalogClient(catalog).getFilm(
            .with { $0.id = request.id },
            options: options
        )
        let (ids, source) = await similar
        if ids == nil { degraded.increment() }
        return .with {
            $0.film = film
            $0.filmSource = Film_Source(info)
            $0.similar = ids ?? []
            $0.similarSource = source
            $0.isDegraded = ids == nil
        }
    }

    private func similar(to id: String) async -> (ids: [String]?, source: Film_Source) {
        let (info, options) = Self.watched()
        // Why it failed is in the logs, the metrics and the trace.
        let reply = try? await Film_RecommendationsClient(recommendations).listSimilar(
            .with { $0.id = id },
            timeout: Self.patience,
            options: options
        )
        return (reply?.ids, Film_Source(info))
    }

    package func listBackends(_ request: Film_ListBackendsRequest, context: RPCContext)
        async throws -> Film_ListBackendsReply
    {
        let services = [
            (CatalogService.serviceDescriptor.fullName, catalog),
            (RecommendationsService.serviceDescriptor.fullName, recommendations),
        ]
        return .with { reply in
            reply.backends = services.flatMap { service, client in
                client.endpoints.map { Film_Backend(service, $0) }
            }
        }
    }

    private static func watched() -> (ReplyInfo, CallOptions) {
        let info = ReplyInfo()
        var options = CallOptions()
        options.replyInfo = info
        return (info, options)
    }
}

// MARK: - How backends are called

extension PagesService {
    /// A call that takes longer than usual is made once more, at another replica; the first reply
    /// wins.
    package static var catalogOptions: RPCClientOptions {
        var options = RPCClientOptions()
        options.serviceName = "film.gateway"
        options.retryPolicy = .backup(after: .milliseconds(50))
        // With one slow replica of two, every other call is made twice.
        options.retryBudget.hedgingShare = 0.5
        return options
    }

    /// A call that fails is made again; a replica that goes on failing is left out for a second.
    package static var recommendationsOptions: RPCClientOptions {
        var options = RPCClientOptions()
        options.serviceName = "film.gateway"
        options.retryPolicy = .failure([.unavailable, .internalError])
        var breaker = CircuitBreakerOptions()
        breaker.minimumSamples = 5
        breaker.openTime = .seconds(1)
        options.circuitBreaker = breaker
        return options
    }
}

extension Film_Source {
    fileprivate init(_ info: ReplyInfo) {
        self.init()
        address = info.address.map { "\($0)" } ?? ""
        attempts = Int32(info.attempts)
    }
}

extension Film_Backend {
    fileprivate init(_ service: String, _ statistics: EndpointStatistics) {
        self.init()
        self.service = service
        address = "\(statistics.endpoint.address)"
        ended = Int64(statistics.ended)
        failed = Int64(statistics.failed)
        isEjected = statistics.isEjected
    }
}
