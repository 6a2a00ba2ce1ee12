import ArgumentParser
import FilmServices
import NetpollCore
import NetpollRPC

/// What can be wrong with a backend.
struct FaultOptions: ParsableArguments {
    @Option(help: "How many milliseconds every call takes.")
    var delayMs = 0
    @Flag(help: "Let every call fail.")
    var fail = false

    var faults: Faults { Faults(delay: .milliseconds(delayMs), fails: fail) }
}

struct CatalogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalog",
        abstract: "Serves the catalog."
    )
    @OptionGroup var listening: Listening
    @OptionGroup var faults: FaultOptions

    func run() async throws {
        let (logger, _) = try listening.process.bootstrap()
        try await listening.serve(CatalogService(faults.faults), logger: logger)
    }
}

struct RecommendationsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recommendations",
        abstract: "Serves the recommendations."
    )
    @OptionGroup var listening: Listening
    @OptionGroup var faults: FaultOptions

    func run() async throws {
        let (logger, _) = try listening.process.bootstrap()
        try await listening.serve(RecommendationsService(faults.faults), logger: logger)
    }
}

struct GatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Serves pages, and prints its metrics at the end."
    )
    @OptionGroup var listening: Listening
    @Option(help: "A replica of the catalog; may be repeated.")
    var catalog: [String]
    @Option(help: "A replica of the recommendations; may be repeated.")
    var recommendations: [String]

    func run() async throws {
        let (logger, metrics) = try listening.process.bootstrap()
        let catalogClient = try RPCClient(
            resolver: StaticResolver(try catalog.map { try SocketAddress(parsing: $0) }),
            interceptors: clientInterceptors(),
            options: PagesService.catalogOptions
        )
        let recommendationsClient = try RPCClient(
            resolver: StaticResolver(try recommendations.map { try SocketAddress(parsing: $0) }),
            interceptors: clientInterceptors(),
            options: PagesService.recommendationsOptions
        )
        let pages = PagesService(catalog: catalogClient, recommendations: recommendationsClient)
        try await listening.serve(pages, logger: logger)
        await catalogClient.close()
        await recommendationsClient.close()
        for line in metrics.lines { print(line) }
    }
}
