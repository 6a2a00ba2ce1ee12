import ArgumentParser
import KeyValueAPI
import KeyValueStore
import Logging
import NetpollCore
import NetpollRPC
import NetpollServiceLifecycle

@main
struct KeyValueServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kv-server",
        abstract: "Serves Protos/keyvalue.proto until SIGTERM or SIGINT."
    )

    @Option(help: "Where to listen: tcp://HOST:PORT or unix:///PATH; may be repeated.")
    var listen: [String]
    @Option(help: "The folder that the data is kept in.")
    var data: String
    @Option(help: "When acknowledged changes are on the disk: always, every-second or never.")
    var sync = SyncPolicy.always
    @Option(help: "Most keys.")
    var keyLimit = StoreLimits().keyLimit
    @Option(help: "Most bytes of all keys and values together.")
    var byteLimit = StoreLimits().byteLimit
    @Flag(help: "Log every call.")
    var logCalls = false

    func run() async throws {
        var logger = Logger(label: "kv-server") {
            StreamLogHandler.standardError(label: $0, metadataProvider: .callMetadata)
        }
        logger.logLevel = logCalls ? .debug : .info
        var limits = StoreLimits()
        limits.keyLimit = keyLimit
        limits.byteLimit = byteLimit
        let database = try Database(at: data, sync: sync, limits: limits, logger: logger)
        // Changes wait for the disk there, so that no event loop has to.
        let pool = WorkerPool()
        var options = RPCServerOptions()
        options.methodExecution = KeyValueService.execution(pool)
        options.logger = logger
        let server = RPCServer(
            services: [KeyValueService(database), HealthService(), ReflectionService()],
            addresses: try listen.map { try SocketAddress(parsing: $0) },
            interceptors: [ServerLoggingInterceptor(logger: logger)],
            options: options
        )
        // Cancelled and awaited when this function ends, however it does.
        async let _ = database.maintain(on: pool)
        try await server.runUntilSignal { addresses in
            logger.info("ready", metadata: ["addresses": "\(addresses)"])
        }
        await pool.shutdown()
        logger.info("stopped")
    }
}

extension Logger.MetadataProvider {
    /// What the caller says about the call that a line belongs to.
    fileprivate static let callMetadata = Logger.MetadataProvider {
        var metadata: Logger.Metadata = [:]
        if let context = RPCContext.current {
            metadata["request_id"] = context.metadata[CallMetadata.requestID].map { "\($0)" }
            metadata["namespace"] =
                context.persistentMetadata[CallMetadata.namespace].map { "\($0)" }
        }
        return metadata
    }
}

extension SyncPolicy: ExpressibleByArgument {}
