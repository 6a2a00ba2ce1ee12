import FilmAPI
import NetpollProtobuf
import NetpollRPC

/// What is wrong with a replica, on purpose.
package struct Faults: Sendable {
    /// How long every call takes.
    package var delay = Duration.zero
    /// Whether every call fails.
    package var fails = false

    package init(delay: Duration = .zero, fails: Bool = false) {
        self.delay = delay
        self.fails = fails
    }

    fileprivate func happen() async throws {
        if fails { throw RPCError(.internalError, "this replica is broken on purpose") }
        // Ends early, with an error that nobody waits for, when the caller has given up.
        if delay > .zero { try await Task.sleep(for: delay) }
    }
}

/// A replica of the catalog.
package struct CatalogService: Film_CatalogService {
    private let faults: Faults

    package init(_ faults: Faults = Faults()) { self.faults = faults }

    package func getFilm(_ request: Film_GetFilmRequest, context: RPCContext) async throws
        -> Film_Film
    {
        try await faults.happen()
        guard let (title, year) = Self.films[request.id] else {
            throw BusinessError(404, "there is no such film", extra: ["id": request.id])
        }
        return .with {
            $0.id = request.id
            $0.title = title
            $0.year = year
        }
    }

    private static let films: [String: (title: String, year: Int32)] = [
        "metropolis": ("Metropolis", 1927),
        "solaris": ("Solaris", 1972),
        "stalker": ("Stalker", 1979),
    ]
}

/// A replica of the recommendations.
package struct RecommendationsService: Film_RecommendationsService {
    private let faults: Faults

    package init(_ faults: Faults = Faults()) { self.faults = faults }

    package func listSimilar(_ request: Film_ListSimilarRequest, context: RPCContext) async throws
        -> Film_ListSimilarReply
    {
        try await faults.happen()
        return .with { $0.ids = Self.similar[request.id] ?? [] }
    }

    private static let similar = [
        "metropolis": ["solaris"],
        "solaris": ["stalker", "metropolis"],
        "stalker": ["solaris"],
    ]
}
