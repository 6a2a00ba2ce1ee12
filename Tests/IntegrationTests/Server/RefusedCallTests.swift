import NetpollCore
import NetpollProtobuf
import NetpollTesting
import TestProtos
import TestSupport
import Testing

@testable import NetpollRPC

@Suite("Calls that reach no handler, as interceptors are told of them", .timeLimit(.minutes(2)))
struct RefusedCallTests {
    /// Notes what it is told.
    private final class Observer: ServerInterceptor {
        private let state = Locked<[String]>([])
        var lines: [String] { state.withLock { $0 } }

        func intercept<Request: Message, Response: Message>(
            _ request: Request,
            _ context: RPCContext,
            next: (Request, RPCContext) async throws -> Response
        ) async throws -> Response {
            try await next(request, context)
        }

        func didRefuse(_ call: RefusedCall) {
            #expect("\(call.peerAddress)".contains("127.0.0.1"))
            state.withLock { $0.append("\(call.method ?? "none"): \(call.error.code)") }
        }
    }

    /// A request with the sequence id 9.
    static func request(_ service: String?, _ method: String, _ body: [UInt8] = []) -> [UInt8] {
        let strings = service.map { [(WireFormat.StringKey.serviceName, $0)] } ?? []
        return RefusalTests.frame(message(method, body), strings: strings)
    }

    /// Its message, which is the whole request on Framed.
    static func message(_ method: String, _ body: [UInt8] = []) -> [UInt8] {
        let name = Array(method.utf8)
        let length = UInt8(12 + name.count + body.count)
        return [0, 0, 0, length, 0x90, 1, 0, 1, 0, 0, 0, UInt8(name.count)] + name
            + [0, 0, 0, 9] + body
    }

    @Test(
        "each is told once, with the method if the server has it",
        arguments: [
            (request("Echo", "Nope"), "none: unimplemented"),
            (request("Nobody", "Nope"), "none: unimplemented"),
            (request("Echo", "Echo", [0x0A, 9]), "echo.Echo/Echo: invalidArgument"),
            (RefusalTests.frame([1, 2, 3]), "none: protocolViolation"),
            ([0x7F, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 9, 0, 1], "none: resourceExhausted"),
        ]
    )
    func told(bytes: [UInt8], line: String) async throws {
        let loops = try EventLoopGroup(count: 1)
        let observer = Observer()
        let server = RPCServer(
            services: [Handler { _, _ in "done" }],
            interceptors: [observer],
            group: loops
        )
        let port = try server.start(on: [.tcp(host: "127.0.0.1", port: 0)])[0].port
        let answer = try await blocking {
            let raw = try RawSocket(port: port)
            try raw.send(bytes)
            return try raw.receiveAnswer()
        }
        #expect(answer.type == .exception)
        #expect(observer.lines == [line])
        await server.shutdown()
        await loops.shutdown()
    }

    @Test("limits of connections, servers and pools are told with the method")
    func limits() async throws {
        let loops = try EventLoopGroup(count: 1)
        var poolOptions = WorkerPoolOptions()
        poolOptions.threadLimit = 1
        poolOptions.queueLimit = 0
        let pool = WorkerPool(options: poolOptions)
        for limit in ["connection", "server", "pool"] {
            var options = RPCServerOptions()
            if limit == "connection" { options.inFlightLimit = 0 }
            if limit == "server" { options.serverInFlightLimit = 0 }
            if limit == "pool" { options.execution = .workers(pool) }
            let observer = Observer()
            let server = RPCServer(
                services: [Handler { _, _ in "done" }],
                interceptors: [observer],
                options: options,
                group: loops
            )
            let address = try server.start(on: [.tcp(host: "127.0.0.1", port: 0)])[0]
            let client = try RPCClient(to: address, group: loops)
            let echo = Echo_EchoClient(client)
            let error = await #expect(throws: RPCError.self) { try await echo.echo(.init()) }
            #expect(error?.code == .resourceExhausted, "\(limit)")
            #expect(observer.lines == ["echo.Echo/Echo: resourceExhausted"], "\(limit)")
            await client.close()
            await server.shutdown()
        }
        await pool.shutdown()
        await loops.shutdown()
    }
}
