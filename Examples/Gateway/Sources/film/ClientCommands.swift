import ArgumentParser
import FilmAPI
import NetpollCore
import NetpollProtobuf
import NetpollRPC
import Observability

/// How to reach the gateway.
struct Calling: ParsableArguments {
    @OptionGroup var process: Process
    @Option(help: "The gateway: tcp://HOST:PORT or unix:///PATH.")
    var connect: String
    @Option(help: "How long a page may take, in milliseconds.")
    var timeoutMs = 5000

    func call(_ body: (Film_PagesClient) async throws -> Void) async throws {
        _ = try process.bootstrap()
        var options = RPCClientOptions()
        options.timeout = .milliseconds(timeoutMs)
        options.connections = .multiplexed(count: 1)
        let client = try RPCClient(
            to: SocketAddress(parsing: connect),
            interceptors: clientInterceptors(),
            options: options
        )
        try await body(Film_PagesClient(client))
        await client.close()
    }
}

struct PageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "page",
        abstract: "Gets pages and prints how long each took and who answered."
    )
    @OptionGroup var calling: Calling
    @Option(help: "How many pages to get, one after the other.")
    var count = 1
    @Argument(help: "The film: metropolis, solaris or stalker.")
    var id: String

    func run() async throws {
        try await calling.call { pages in
            for _ in 0..<count {
                let start = ContinuousClock.now
                let page = try await pages.getPage(.with { $0.id = id })
                let took = Int((ContinuousClock.now - start) / .milliseconds(1))
                let similar = page.isDegraded ? "degraded" : page.similar.joined(separator: " ")
                print(
                    "\(page.film.title) \(page.film.year)",
                    page.filmSource.text,
                    "similar: \(similar)",
                    page.similarSource.text,
                    "\(took) ms",
                    separator: "\t"
                )
            }
        }
    }
}

struct BackendsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backends",
        abstract: "Prints how the gateway's backends fare."
    )
    @OptionGroup var calling: Calling

    func run() async throws {
        try await calling.call { pages in
            for backend in try await pages.listBackends(.init()).backends {
                let state = backend.isEjected ? "open" : "closed"
                print(
                    backend.service,
                    backend.address,
                    "ended \(backend.ended) failed \(backend.failed)",
                    "breaker \(state)",
                    separator: "\t"
                )
            }
        }
    }
}

extension Film_Source {
    fileprivate var text: String {
        address.isEmpty ? "nobody" : "\(address) (\(attempts))"
    }
}
