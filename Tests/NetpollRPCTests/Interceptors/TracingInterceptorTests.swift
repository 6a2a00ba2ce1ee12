import InMemoryTracing
import NetpollCore
import NetpollProtobuf
import TestProtos
import Testing
import Tracing

@testable import NetpollRPC

@Suite("Tracing interceptors")
struct TracingInterceptorTests {
    private let tracer = InMemoryTracer()

    @Test("a call's span is the parent of its handler's, through metadata for one hop")
    func chain() async throws {
        let client = ClientTracingInterceptor(
            tracer: tracer,
            server: .tcp(host: "shop", port: 8888)
        )
        let server = ServerTracingInterceptor(tracer: tracer)
        _ = try await client.intercept(Calls.client(metadata: ["own": "1"])) { call in
            #expect(call.options.metadata["own"] == "1")
            #expect(call.options.persistentMetadata.isEmpty)
            #expect(call.options.metadata.pairs.count == 3)
            let context = Calls.context(metadata: call.options.metadata)
            let response = try await server.intercept(call.request, context) { request, _ in
                // The handler is inside its span: what it traces is a child.
                tracer.withSpan("inner") { _ in }
                return Echo_EchoResponse.with { $0.msg = request.msg }
            }
            return ClientReply(message: response)
        }
        let spans = tracer.finishedSpans
        let inner = try #require(spans.first { $0.operationName == "inner" })
        let outer = try #require(spans.first { $0.kind == .client })
        let served = try #require(spans.first { $0.kind == .server })
        #expect(outer.operationName == "echo.Echo/Echo" && outer.parentSpanID == nil)
        #expect(served.operationName == "echo.Echo/Echo" && served.parentSpanID == outer.spanID)
        #expect(inner.parentSpanID == served.spanID)
        #expect(Set(spans.map(\.traceID)).count == 1)
        #expect(
            outer.attributes == [
                "rpc.system.name": "kitex", "rpc.method": "echo.Echo/Echo",
                "rpc.status_code": "ok", "server.address": "shop", "server.port": 8888,
            ]
        )
        #expect(
            served.attributes == [
                "rpc.system.name": "kitex", "rpc.method": "echo.Echo/Echo",
                "rpc.status_code": "ok", "network.peer.address": "10.0.0.9",
                "network.peer.port": 4711,
            ]
        )
        #expect(outer.status == nil && served.status == nil)
    }

    @Test(
        "a client that was told no server names the one that answered, with a reply or an error",
        arguments: [false, true]
    )
    func serverThatAnswered(fails: Bool) async throws {
        let client = ClientTracingInterceptor(tracer: tracer)
        let own = ReplyInfo()
        for info in [nil, own] {
            var call = Calls.client()
            call.options.replyInfo = info
            _ = try? await client.intercept(call) { call in
                call.options.replyInfo?.note(["k": "v"], from: Calls.peer)
                if fails { throw RPCError(.internalError, "no") }
                return try await Calls.answer(call)
            }
        }
        #expect(tracer.finishedSpans.count == 2)
        for span in tracer.finishedSpans {
            #expect(span.attributes.get("server.address") == .string("10.0.0.9"))
            #expect(span.attributes.get("server.port") == .int64(4711))
        }
        // The caller's own is filled in as without the interceptor.
        #expect(own.address == Calls.peer && own.metadata["k"] == "v")
    }

    @Test("where nobody answers no server is named, and one that was given stays")
    func namedServer() async throws {
        let silent = ClientTracingInterceptor(tracer: tracer)
        _ = try await silent.intercept(Calls.client(), next: Calls.answer)
        let named = ClientTracingInterceptor(tracer: tracer, server: .tcp(host: "shop", port: 1))
        _ = try await named.intercept(Calls.client()) { call in
            #expect(call.options.replyInfo == nil)
            return try await Calls.answer(call)
        }
        let addresses = tracer.finishedSpans.map { $0.attributes.get("server.address") }
        #expect(addresses == [nil, .string("shop")])
    }

    @Test("a failed call's span is an error; one with a business error is not")
    func errors() async throws {
        let client = ClientTracingInterceptor(tracer: tracer)
        await #expect(throws: RPCError.self) {
            let _: ClientReply<Echo_EchoResponse> = try await client.intercept(Calls.client()) {
                _ in throw RPCError(.unavailable, "gone")
            }
        }
        await #expect(throws: BusinessError.self) {
            let _: Echo_EchoResponse = try await ServerTracingInterceptor(tracer: tracer)
                .intercept(Echo_EchoRequest(), Calls.context()) { _, _ in
                    throw BusinessError(7, "no")
                }
        }
        let failed = try #require(tracer.finishedSpans.first { $0.kind == .client })
        #expect(failed.status?.code == .error && failed.errors.count == 1)
        #expect(failed.attributes.get("error.type") == .string("unavailable"))
        #expect(failed.attributes.get("rpc.status_code") == .string("unavailable"))
        let refused = try #require(tracer.finishedSpans.first { $0.kind == .server })
        #expect(refused.status == nil && refused.errors.isEmpty)
        #expect(refused.attributes.get("rpc.status_code") == .string("businessError"))
        #expect(tracer.activeSpans.isEmpty)
    }

    @Test("trace context is found under its own name and under the name of a CGI variable")
    func names() {
        var metadata = Metadata()
        MetadataInjector().inject("00-1-2-01", forKey: "traceparent", into: &metadata)
        #expect(metadata == ["traceparent": "00-1-2-01"])
        let extractor = MetadataExtractor()
        #expect(extractor.extract(key: "traceparent", from: metadata) == "00-1-2-01")
        #expect(extractor.extract(key: "x-b3-traceid", from: ["X_B3_TRACEID": "7"]) == "7")
        #expect(extractor.extract(key: "baggage", from: metadata) == nil)
    }
}
