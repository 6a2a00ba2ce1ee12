import Metrics
import MetricsTestKit
import NetpollCore
import NetpollProtobuf
import TestProtos
import Testing

@testable import NetpollRPC

@Suite("Metrics interceptors")
struct MetricsInterceptorTests {
    private let metrics = TestMetrics()
    private let clock = StepClock(step: 3_000_000)

    private func client(_ server: SocketAddress? = nil) -> ClientMetricsInterceptor {
        ClientMetricsInterceptor(
            server: server,
            methodLimit: 10,
            factory: metrics,
            now: clock.now
        )
    }

    private func server(methodLimit: Int = 10) -> ServerMetricsInterceptor {
        ServerMetricsInterceptor(methodLimit: methodLimit, factory: metrics, now: clock.now)
    }

    private func fail(_ interceptor: ClientMetricsInterceptor, _ error: any Error) async {
        await #expect(throws: (any Error).self) {
            let _: ClientReply<Echo_EchoResponse> = try await interceptor.intercept(
                Calls.client()
            ) { _ in throw error }
        }
    }

    @Test("a client's calls are one histogram in seconds with OpenTelemetry's names")
    func client() async throws {
        let interceptor = client(.tcp(host: "shop", port: 8888))
        for _ in 0..<3 { _ = try await interceptor.intercept(Calls.client(), next: Calls.answer) }
        let timer = try metrics.expectTimer(
            "rpc.client.call.duration",
            [
                ("server.address", "shop"), ("server.port", "8888"), ("rpc.system.name", "kitex"),
                ("rpc.method", "echo.Echo/Echo"), ("rpc.status_code", "ok"),
            ]
        )
        #expect(timer.values == [3_000_000, 3_000_000, 3_000_000])
        #expect(timer.displayUnit == .seconds)
        #expect(metrics.timers.count == 1)
    }

    @Test("a failed call says what kind of error it was; a business error is an answer")
    func errors() async throws {
        let interceptor = client(.unix(path: "/run/shop"))
        let base = [("rpc.method", "echo.Echo/Echo"), ("server.address", "/run/shop")]
        await fail(interceptor, RPCError(.deadlineExceeded, "late"))
        await fail(interceptor, BusinessError(7, "no"))
        await fail(interceptor, CancellationError())
        await fail(interceptor, StrangeError())
        let kinds = [
            ("deadlineExceeded", "deadlineExceeded"), ("cancelled", "cancelled"),
            ("unknown", "NetpollRPCTests.StrangeError"),
        ]
        for (code, type) in kinds {
            let found = metrics.timers(
                label: "rpc.client.call.duration",
                dimensions: base + [("rpc.status_code", code), ("error.type", type)]
            )
            #expect(found.count == 1, "\(code)")
        }
        let business = metrics.timers(
            label: "rpc.client.call.duration",
            dimensions: base + [("rpc.status_code", "businessError")]
        )
        #expect(business.count == 1)
        #expect(business.first?.dimensions.contains { $0.0 == "error.type" } == false)
    }

    @Test("a server's calls are told by method, and methods beyond the limit share a name")
    func methods() async throws {
        let interceptor = server(methodLimit: 2)
        for name in ["A", "B", "C", "D", "A", "C"] {
            _ = try await interceptor.intercept(
                Echo_EchoRequest(),
                Calls.context(method: name)
            ) { _, _ in Echo_EchoResponse() }
        }
        func count(_ method: String) -> Int? {
            metrics.timers(
                label: "rpc.server.call.duration",
                dimensions: [("rpc.method", method), ("rpc.system.name", "kitex")]
            ).first?.values.count
        }
        #expect(count("echo.Echo/A") == 2 && count("echo.Echo/B") == 1 && count("_OTHER") == 3)
        #expect(metrics.timers.count == 3)
    }

    @Test("calls of many threads share one timer and all count")
    func concurrency() async throws {
        let interceptor = client(nil)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<100 {
                        _ = try? await interceptor.intercept(Calls.client(), next: Calls.answer)
                    }
                }
            }
        }
        #expect(metrics.timers.map(\.values.count) == [800])
    }

    @Test("an unknown error of a handler is the internal error that its caller sees")
    func handlerError() async throws {
        await #expect(throws: StrangeError.self) {
            let _: Echo_EchoResponse = try await server().intercept(
                Echo_EchoRequest(),
                Calls.context()
            ) { _, _ in throw StrangeError() }
        }
        let dimensions = [
            ("rpc.status_code", "internalError"), ("error.type", "NetpollRPCTests.StrangeError"),
        ]
        let found = metrics.timers(label: "rpc.server.call.duration", dimensions: dimensions)
        #expect(found.count == 1)
    }

    @Test("a call that reached no handler counts, under its method if the server has it")
    func refused() throws {
        let interceptor = server()
        for (method, code) in [
            ("echo.Echo/Echo" as String?, RPCError.Code.resourceExhausted), (nil, .unimplemented),
        ] {
            let error = RPCError(code, "no")
            interceptor.didRefuse(
                RefusedCall(method: method, error: error, peer: { Calls.peer })
            )
            let timer = try metrics.expectTimer(
                "rpc.server.call.duration",
                [
                    ("rpc.system.name", "kitex"), ("rpc.method", method ?? "_OTHER"),
                    ("rpc.status_code", "\(code)"), ("error.type", "\(code)"),
                ]
            )
            #expect(timer.values == [0])
        }
    }
}
