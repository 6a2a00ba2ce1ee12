import InMemoryLogging
import Logging
import NetpollCore
import NetpollProtobuf
import TestProtos
import TestSupport
import Testing

@testable import NetpollRPC

@Suite("What callers get of what handlers throw", .timeLimit(.minutes(2)))
struct ErrorCallTests {
    private static let modes: [RPCClientOptions.Connections] = [
        .multiplexed(count: 1), .pooled(limit: 1),
    ]

    private static let errors: [RPCError] = [
        RPCError(.internalError, "the disk is full"),
        RPCError(.internalError, "biz error: as a Kitex handler says"),
        RPCError(.internalError, "with its own id", exceptionID: 6),
        RPCError(.internalError, ""),
        RPCError(.invalidArgument, "no name", retry: .never),
        RPCError(.unimplemented, "not yet"),
        RPCError(.resourceExhausted, "no more", retry: .later),
        RPCError(.unauthenticated, "who?"),
        RPCError(.protocolViolation, "nonsense"),
        RPCError(.unknown, "of the application's own", exceptionID: 12_345),
        RPCError(.cancelled, "given up"),
    ]

    @Test("a caller gets the code, the advice and the handler's own words", arguments: modes)
    func words(mode: RPCClientOptions.Connections) async throws {
        let fixture = try HandlerFixture { request, _ in
            throw Self.errors[Int(request.msg) ?? 0]
        }
        let echo = try fixture.echo(mode)
        for (index, thrown) in Self.errors.enumerated() {
            let error = await #expect(throws: RPCError.self) {
                try await echo.echo(.with { $0.msg = String(index) })
            }
            #expect(error?.code == thrown.code)
            #expect(error?.message == thrown.message)
            #expect(error?.retry == thrown.retry)
        }
        await fixture.stop()
    }

    @Test("on the wire the words of a handler have the mark that Kitex's clients know")
    func mark() async throws {
        let fixture = try HandlerFixture { _, _ in throw RPCError(.internalError, "boom") }
        let port = fixture.port
        let body = try await blocking {
            let raw = try RawSocket(port: port)
            try raw.send(try Frames.echo())
            defer { raw.close() }
            return try raw.receiveAnswer().body
        }
        #expect(body == [0x08, 0x06, 0x12, 0x0F] + Array("biz error: boom".utf8))
        await fixture.stop()
    }

    @Test("a handler that nobody has cancelled and that says so has failed")
    func ownCancellation() async throws {
        let fixture = try HandlerFixture { _, _ in throw CancellationError() }
        let error = try await refusal(try fixture.echo())
        #expect(error.code == .internalError)
        await fixture.stop()
    }

    @Test("only what nobody else learns of is logged, and no higher than at info")
    func log() async throws {
        var log = InMemoryLogHandler()
        log.logLevel = .trace
        let logger = Logger(label: "test") { [log] _ in log }
        let options = withLogger(logger) { _ in RPCServerOptions() }
        let fixture = try HandlerFixture(options) { request, _ in
            switch request.msg {
            case "business": throw BusinessError(1, "no")
            case "known": throw RPCError(.invalidArgument, "no")
            default: throw Secret()
            }
        }
        let echo = try fixture.echo()
        for kind in ["business", "known"] {
            await #expect(throws: (any Error).self) { try await echo.echo(.with { $0.msg = kind }) }
        }
        #expect(log.entries.isEmpty)
        _ = try await refusal(echo)
        #expect(log.entries.map(\.level) == [.info])
        #expect(log.entries.first?.metadata["method"] == "echo.Echo/Echo")
        #expect(log.entries.first?.metadata["error"] == "\(Secret())")
        await fixture.stop()
    }

    @Test("a business error that Framed cannot carry leaves a line at debug")
    func lostBusinessError() async throws {
        var log = InMemoryLogHandler()
        log.logLevel = .trace
        var options = RPCServerOptions()
        options.logger = Logger(label: "test") { [log] _ in log }
        let fixture = try HandlerFixture(options) { _, _ in throw BusinessError(7, "no") }
        let port = fixture.port
        let reply = try await blocking {
            let raw = try RawSocket(port: port)
            try raw.send(
                [0, 0, 0, 16, 0x90, 1, 0, 1, 0, 0, 0, 4] + Array("Echo".utf8) + [0, 0, 0, 1]
            )
            defer { raw.close() }
            return try raw.receiveFrame()
        }
        #expect(reply.count == 20, "an empty reply")
        #expect(log.entries.map(\.level) == [.debug])
        #expect(log.entries.first?.metadata["status"] == "7")
        await fixture.stop()
    }

    @Test("metadata that a handler set goes with whatever it throws", arguments: modes)
    func metadata(mode: RPCClientOptions.Connections) async throws {
        let fixture = try HandlerFixture { request, context in
            context.responseMetadata["cost"] = request.msg
            context.responseMetadata["biz-status"] = "7"
            switch request.msg {
            case "business": throw BusinessError(1, "no")
            case "unknown": throw Secret()
            case "late": throw CancellationError()
            case "own": throw RPCError(.unimplemented, "not yet")
            default: return "done"
            }
        }
        let echo = try fixture.echo(mode)
        for kind in ["none", "business", "unknown", "late", "own"] {
            let info = ReplyInfo()
            var options = CallOptions()
            options.replyInfo = info
            _ = try? await echo.echo(.with { $0.msg = kind }, options: options)
            #expect(info.metadata == ["cost": kind])
        }
        await fixture.stop()
    }

    @Test("an error that is too large arrives without its words, and the connection is kept")
    func excess() async throws {
        let fixture = try HandlerFixture { request, context in
            if request.msg == "metadata" {
                context.responseMetadata["long"] = String(repeating: "x", count: 70_000)
                throw RPCError(.invalidArgument, "no", retry: .never)
            }
            throw RPCError(.invalidArgument, String(repeating: "x", count: 65 << 20), retry: .never)
        }
        let echo = try fixture.echo()
        for kind in ["metadata", "words"] {
            let error = await #expect(throws: RPCError.self) {
                try await echo.echo(.with { $0.msg = kind })
            }
            #expect(error?.code == .invalidArgument && error?.retry == .never)
            #expect(error?.message.hasPrefix("the error: ") == true)
        }
        #expect(fixture.server.connectionCount == 1)
        await fixture.stop()
    }
}
