import KeyValueAPI
import Logging
import NetpollCore
import NetpollProtobuf
import NetpollRPC
import NetpollRPCTesting
import Testing

@testable import KeyValueStore

@Suite("The service", .timeLimit(.minutes(1)))
struct ServiceTests {
    /// Runs a test against a service on an empty database.
    private func withService(
        limits: StoreLimits = StoreLimits(),
        _ body: (Kv_KeyValueClient) async throws -> Void
    ) async throws {
        try await withFolder { path in
            let database = try Database(
                at: path,
                limits: limits,
                logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
            )
            let pool = WorkerPool()
            var options = RPCServerOptions()
            options.methodExecution = KeyValueService.execution(pool)
            try await withTestServer(of: KeyValueService(database), serverOptions: options) {
                try await body(Kv_KeyValueClient($0.client))
            }
            await pool.shutdown()
        }
    }

    private func status(_ body: () async throws -> Void) async -> (Kv_Status?, [String: String]) {
        let error = await #expect(throws: BusinessError.self) { try await body() }
        return (error.flatMap { Kv_Status(rawValue: Int($0.status)) }, error?.extra ?? [:])
    }

    @Test("a key has the value that it was given, and its version, until it is removed")
    func values() async throws {
        try await withService { service in
            let key = Array("key".utf8)
            let set = try await service.set(
                .with {
                    $0.key = key
                    $0.value = [1, 2]
                    $0.ttl = Google_Protobuf_Duration(.seconds(60))
                }
            )
            let entry = try await service.get(.with { $0.key = key }).entry
            #expect(entry.value == [1, 2])
            #expect(entry.version == set.version)
            #expect(entry.expiresAt.durationSince1970 > Database.wallClock())
            _ = try await service.delete(.with { $0.key = key })
            let (status, extra) = await status { _ = try await service.get(.with { $0.key = key }) }
            #expect(status == .notFound)
            #expect(extra == ["key": "key"])
        }
    }

    @Test("a conflict tells the version that is there, which the next attempt takes")
    func conflict() async throws {
        try await withService { service in
            var request = Kv_CompareAndSetRequest.with { $0.key = [1] }
            _ = try await service.compareAndSet(request)
            let (status, extra) = await status { _ = try await service.compareAndSet(request) }
            #expect(status == .versionConflict)
            request.expectedVersion = extra["version"].flatMap { UInt64($0) } ?? 0
            #expect(try await service.compareAndSet(request).version == 2)
        }
    }

    @Test("bounds are business errors that tell them")
    func bounds() async throws {
        var limits = StoreLimits()
        limits.valueByteLimit = 8
        limits.keyLimit = 1
        try await withService(limits: limits) { service in
            let (large, what) = await status {
                _ = try await service.set(
                    .with {
                        $0.key = [1]
                        $0.value = Array(0..<9)
                    }
                )
            }
            #expect(large == .tooLarge)
            #expect(what == ["what": "value", "limit": "8"])
            _ = try await service.set(.with { $0.key = [1] })
            let (full, _) = await status { _ = try await service.set(.with { $0.key = [2] }) }
            #expect(full == .full)
        }
    }

    @Test("namespaces do not see each other, and none can be made to look like another's keys")
    func namespaces() async throws {
        try await withService { service in
            func options(_ namespace: String) -> CallOptions {
                var options = CallOptions()
                options.persistentMetadata[CallMetadata.namespace] = namespace
                return options
            }
            for namespace in ["a", "b"] {
                _ = try await service.set(
                    .with {
                        $0.key = [1]
                        $0.value = Array(namespace.utf8)
                    },
                    options: options(namespace)
                )
            }
            let reply = try await service.get(.with { $0.key = [1] }, options: options("a"))
            #expect(reply.entry.value == Array("a".utf8))
            let others = try await service.list(Kv_ListRequest(), options: options("b"))
            #expect(others.entries.count == 1)
            #expect(try await service.list(Kv_ListRequest()).entries.isEmpty)
            let error = await #expect(throws: RPCError.self) {
                try await service.list(Kv_ListRequest(), options: options("a\0"))
            }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test("pages follow one another")
    func pages() async throws {
        try await withService { service in
            for number: UInt8 in 0..<10 {
                _ = try await service.set(.with { $0.key = [7, number] })
            }
            _ = try await service.set(.with { $0.key = [8] })
            var request = Kv_ListRequest.with {
                $0.prefix = [7]
                $0.limit = 3
            }
            var sizes: [Int] = []
            repeat {
                let reply = try await service.list(request)
                sizes.append(reply.entries.count)
                request.after = reply.next
            } while !request.after.isEmpty
            #expect(sizes == [3, 3, 3, 1])
        }
    }

    @Test(
        "arguments that make no sense are refused",
        arguments: [Duration.zero, .seconds(-1), .seconds(Int64.max)]
    )
    func arguments(ttl: Duration) async throws {
        try await withService { service in
            for request in [
                Kv_SetRequest.with {
                    $0.key = [1]
                    $0.ttl = Google_Protobuf_Duration(ttl)
                },
                Kv_SetRequest(),
            ] {
                let error = await #expect(throws: RPCError.self) { try await service.set(request) }
                #expect(error?.code == .invalidArgument)
            }
        }
    }
}
