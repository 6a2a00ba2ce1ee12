import ArgumentParser
import Logging
import Metrics
import NetpollCore
import NetpollRPC
import NetpollServiceLifecycle
import Observability
import Tracing

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// What all programs of the example have in common: a name, and where they tell what they do.
struct Process: ParsableArguments {
    @Option(help: "What logs and traces call this process.")
    var name: String
    @Option(help: "The file that spans are appended to.")
    var spans: String?

    /// Sets up logs on standard error, traces, and metrics in memory.
    func bootstrap() throws -> (logger: Logger, metrics: PrintedMetrics) {
        LoggingSystem.bootstrap(
            { StreamLogHandler.standardError(label: $0, metadataProvider: $1) },
            metadataProvider: .trace
        )
        let metrics = PrintedMetrics()
        MetricsSystem.bootstrap(metrics)
        if let spans {
            let file = open(spans, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw ValidationError("cannot open \(spans)") }
            let tracer = RecordingTracer(process: name) { line in
                // One write for a line: processes may share the file.
                let bytes = Array("\(line)\n".utf8)
                write(file, bytes, bytes.count)
            }
            InstrumentationSystem.bootstrap(tracer)
        }
        return (Logger(label: name), metrics)
    }
}

/// Where a server listens.
struct Listening: ParsableArguments {
    @OptionGroup var process: Process
    @Option(help: "Where to listen: tcp://HOST:PORT or unix:///PATH.")
    var listen: String

    /// Serves until SIGTERM or SIGINT.
    func serve(_ service: any RPCService, logger: Logger) async throws {
        let server = RPCServer(
            services: [service, HealthService(), ReflectionService()],
            addresses: [try SocketAddress(parsing: listen)],
            // Inside the span, so that log lines tell the trace.
            interceptors: [
                ServerTracingInterceptor(), ServerMetricsInterceptor(),
                ServerLoggingInterceptor(
                    logger: logger,
                    levels: CallLogLevels(success: .info, failure: .error)
                ),
            ]
        )
        try await server.runUntilSignal { logger.info("ready", metadata: ["addresses": "\($0)"]) }
        logger.info("stopped")
    }
}

/// What runs around all calls of a client.
func clientInterceptors() -> [any ClientInterceptor] {
    [
        ClientTracingInterceptor(), ClientMetricsInterceptor(),
        ClientLoggingInterceptor(levels: CallLogLevels(success: .debug, failure: .warning)),
    ]
}
