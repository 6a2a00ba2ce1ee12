import ArgumentParser

@main
struct FilmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "film",
        abstract: "A gateway, the services behind it, and a client of it.",
        subcommands: [
            CatalogCommand.self, RecommendationsCommand.self, GatewayCommand.self,
            PageCommand.self, BackendsCommand.self, TraceCommand.self,
        ]
    )
}
