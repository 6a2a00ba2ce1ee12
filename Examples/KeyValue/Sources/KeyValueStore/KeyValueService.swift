import KeyValueAPI
import NetpollCore
import NetpollProtobuf
import NetpollRPC

/// The service of `Protos/keyvalue.proto` on a ``Database``.
package struct KeyValueService: Kv_KeyValueService {
    private let database: Database

    package init(_ database: Database) { self.database = database }

    /// Where the service's methods run: those that wait for the disk on a pool, the others on the
    /// loop that read the request.
    package static func execution(_ pool: WorkerPool) -> [String: HandlerExecution] {
        ["Set", "CompareAndSet", "Delete"].reduce(into: [:]) {
            $0["\(serviceDescriptor.fullName)/\($1)"] = .workers(pool)
        }
    }

    package func get(_ request: Kv_GetRequest, context: RPCContext) async throws -> Kv_GetReply {
        let key = try context.key(request.key)
        let value = try database.value(of: key)
        return .with { $0.entry = Kv_Entry(key, value) }
    }

    package func set(_ request: Kv_SetRequest, context: RPCContext) async throws -> Kv_SetReply {
        let ttl = try request.hasTtl ? Self.checked(request.ttl) : nil
        let version = try database.set(context.key(request.key), to: request.value, ttl: ttl)
        return .with { $0.version = version }
    }

    package func compareAndSet(_ request: Kv_CompareAndSetRequest, context: RPCContext)
        async throws -> Kv_SetReply
    {
        let ttl = try request.hasTtl ? Self.checked(request.ttl) : nil
        let version = try database.set(
            context.key(request.key),
            to: request.value,
            ttl: ttl,
            expectedVersion: request.expectedVersion
        )
        return .with { $0.version = version }
    }

    package func delete(_ request: Kv_DeleteRequest, context: RPCContext) async throws
        -> Kv_DeleteReply
    {
        _ = try database.remove(context.key(request.key))
        return Kv_DeleteReply()
    }

    package func list(_ request: Kv_ListRequest, context: RPCContext) async throws
        -> Kv_ListReply
    {
        let page = database.page(
            prefix: try context.key(request.prefix, mayBeEmpty: true),
            after: request.after.isEmpty ? nil : try context.key(request.after),
            limit: request.limit == 0 ? Self.pageLimit : min(Int(request.limit), Self.pageLimit),
            byteLimit: Self.pageByteLimit
        )
        return .with {
            $0.entries = page.entries.map { Kv_Entry($0.key, $0.value) }
            if page.hasMore { $0.next = page.entries.last?.key.key ?? [] }
        }
    }

    private static let pageLimit = 1000
    private static let pageByteLimit = 1 << 20
    private static let longestTTL: Duration = .seconds(100 * 365 * 86_400)

    private static func checked(_ ttl: Google_Protobuf_Duration) throws -> Duration {
        guard ttl.duration > .zero, ttl.duration <= longestTTL else {
            throw RPCError(.invalidArgument, "a TTL is more than nothing and at most 100 years")
        }
        return ttl.duration
    }
}

extension RPCContext {
    /// A key in the caller's namespace.
    fileprivate func key(_ bytes: [UInt8], mayBeEmpty: Bool = false) throws -> StoreKey {
        guard mayBeEmpty || !bytes.isEmpty else {
            throw RPCError(.invalidArgument, "the key is empty")
        }
        let namespace = persistentMetadata[CallMetadata.namespace] ?? "default"
        guard namespace.utf8.count <= 64, !namespace.utf8.contains(0) else {
            throw RPCError(.invalidArgument, "a namespace has at most 64 bytes and none is zero")
        }
        return StoreKey(namespace: namespace, bytes)
    }
}

extension Kv_Entry {
    fileprivate init(_ key: StoreKey, _ value: StoredValue) {
        self.init()
        self.key = key.key
        self.value = value.bytes
        version = value.version
        if let end = value.expiresAt {
            expiresAt = Google_Protobuf_Timestamp(durationSince1970: end)
        }
    }
}
