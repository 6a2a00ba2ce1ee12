import InMemoryLogging
import Logging
import NetpollProtobuf
import TestProtos
import Testing

@testable import NetpollRPC

@Suite("Logging interceptors")
struct LoggingInterceptorTests {
    private let handler: InMemoryLogHandler
    private let logger: Logger

    init() {
        var handler = InMemoryLogHandler()
        handler.logLevel = .trace
        self.handler = handler
        logger = Logger(label: "test") { [handler] _ in handler }
    }

    private func client(_ logger: Logger?) -> ClientLoggingInterceptor {
        ClientLoggingInterceptor(
            logger: logger,
            levels: CallLogLevels(),
            now: StepClock(step: 2_500_000).now
        )
    }

    private func server(_ levels: CallLogLevels = CallLogLevels()) -> ServerLoggingInterceptor {
        ServerLoggingInterceptor(
            logger: logger,
            levels: levels,
            now: StepClock(step: 1_000_000).now
        )
    }

    @Test("a client's call leaves one line at debug, without a value in its message")
    func clientSuccess() async throws {
        let reply = try await client(logger).intercept(Calls.client(), next: Calls.answer)
        #expect(reply.message.msg == "hi")
        let entry = try #require(handler.entries.first)
        #expect(handler.entries.count == 1)
        #expect(entry.level == .debug && entry.message == "call ended")
        #expect(
            entry.metadata == [
                "rpc.method": "echo.Echo/Echo", "rpc.status_code": "ok", "duration_ms": "2.5",
            ]
        )
    }

    @Test("without a logger the one of the caller's task is used")
    func callersLogger() async throws {
        try await withLogger(logger) { _ in
            _ = try await client(nil).intercept(Calls.client(), next: Calls.answer)
        }
        #expect(handler.entries.count == 1)
    }

    @Test("a failed call is told at info, with the error, and passed on")
    func clientFailure() async throws {
        await #expect(throws: RPCError.self) {
            let _: ClientReply<Echo_EchoResponse> = try await client(logger).intercept(
                Calls.client()
            ) { _ in throw RPCError(.unavailable, "gone") }
        }
        let entry = try #require(handler.entries.first)
        #expect(entry.level == .info && entry.message == "call failed")
        #expect(entry.metadata["rpc.status_code"] == "unavailable")
        #expect(entry.metadata["error"] == "unavailable: gone")
    }

    @Test("a handler's line names its caller, and a business error is no failure")
    func serverBusinessError() async throws {
        await #expect(throws: BusinessError.self) {
            let _: Echo_EchoResponse = try await server().intercept(
                Echo_EchoRequest(),
                Calls.context()
            ) { _, _ in throw BusinessError(7, "no") }
        }
        let entry = try #require(handler.entries.first)
        #expect(entry.level == .debug && entry.message == "call ended")
        #expect(
            entry.metadata == [
                "rpc.method": "echo.Echo/Echo", "rpc.status_code": "businessError",
                "duration_ms": "1.0", "peer": "tcp://10.0.0.9:4711",
                "error": "business error 7: no",
            ]
        )
    }

    @Test("what a handler throws besides is an internal error, at the level that was asked for")
    func serverFailure() async throws {
        let levels = CallLogLevels(success: .trace, failure: .error)
        await #expect(throws: StrangeError.self) {
            let _: Echo_EchoResponse = try await server(levels).intercept(
                Echo_EchoRequest(),
                Calls.context()
            ) { _, _ in throw StrangeError() }
        }
        let entry = try #require(handler.entries.first)
        #expect(entry.level == .error && entry.metadata["rpc.status_code"] == "internalError")
    }

    @Test("the handler's own lines say which call they belong to")
    func handlersLogger() async throws {
        _ = try await server().intercept(Echo_EchoRequest(), Calls.context()) { _, _ in
            Logger.current.notice("working")
            return Echo_EchoResponse()
        }
        let entry = try #require(handler.entries.first)
        #expect(entry.message == "working")
        #expect(entry.metadata["rpc.method"] == "echo.Echo/Echo")
        #expect(entry.metadata["peer"] == "tcp://10.0.0.9:4711")
    }

    @Test("a call that reached no handler leaves a line at debug, or at the level asked for")
    func refused() throws {
        let error = RPCError(.unimplemented, "unknown method x")
        let call = RefusedCall(method: nil, error: error, peer: { Calls.peer })
        server().didRefuse(call)
        server(CallLogLevels(refusal: .warning)).didRefuse(call)
        #expect(handler.entries.map(\.level) == [.debug, .warning])
        let entry = try #require(handler.entries.first)
        #expect(entry.message == "call refused")
        #expect(
            entry.metadata == [
                "rpc.status_code": "unimplemented", "peer": "\(Calls.peer)", "error": "\(error)",
            ]
        )
    }
}
