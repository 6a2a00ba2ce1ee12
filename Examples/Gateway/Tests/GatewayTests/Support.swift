import FilmAPI
import NetpollCore
import NetpollProtobuf
import NetpollRPC
import Synchronization

@testable import FilmServices

/// A catalog that does what a test says.
struct ScriptedCatalog: Film_CatalogService {
    let body: @Sendable (RPCContext) async throws -> Void

    func getFilm(_ request: Film_GetFilmRequest, context: RPCContext) async throws -> Film_Film {
        try await body(context)
        return .with { $0.id = request.id }
    }
}

/// Recommendations that do what a test says.
struct ScriptedRecommendations: Film_RecommendationsService {
    let body: @Sendable (RPCContext) async throws -> Void

    func listSimilar(_ request: Film_ListSimilarRequest, context: RPCContext) async throws
        -> Film_ListSimilarReply
    {
        try await body(context)
        return .with { $0.ids = ["other"] }
    }
}

/// A value that handlers and tests share.
final class Shared<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) { state = Mutex(value) }

    var value: Value {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
