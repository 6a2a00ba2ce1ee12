import NetpollCore
import NetpollProtobuf
import NetpollRPC
import NetpollRPCTesting
import TestProtos
import Testing

@Suite("The test kit", .timeLimit(.minutes(2)))
struct TestServerTests {
    /// Waits on the loops' clock, as a service under test should.
    struct Sleeper: Echo_EchoService {
        let loops: EventLoopGroup

        func echo(_ request: Echo_EchoRequest, context: RPCContext) async throws
            -> Echo_EchoResponse
        {
            .with { $0.msg = request.msg }
        }
        func fail(_ request: Echo_EchoRequest, context: RPCContext) async throws
            -> Echo_EchoResponse
        {
            throw BusinessError(7, "no")
        }
        func sleep(_ request: Echo_SleepRequest, context: RPCContext) async throws
            -> Echo_EchoResponse
        {
            let loop = loops.next()
            try await loop.sleep(until: loop.deadline(after: .milliseconds(request.millis)))
            return .with { $0.msg = "slept" }
        }
    }

    // What the documentation of `TestServer` shows.
    @Test("a service is tested without sockets in five lines")
    func fiveLines() async throws {
        let loops = try EventLoopGroup(count: 1)
        try await withTestServer(of: EchoService(loops: loops)) { test in
            let echo = Echo_EchoClient(test.client)
            let reply = try await echo.echo(.with { $0.msg = "Ada" })
            #expect(reply.msg == "Ada")
        }
        await loops.shutdown()
    }

    @Test("a clock moved by hand ends a call at its deadline, and its handler with it")
    func timeout() async throws {
        let test = try TestServer { [Sleeper(loops: $0)] }
        let echo = Echo_EchoClient(test.client)
        let call = Task {
            try await echo.sleep(.with { $0.millis = 3_600_000 }, timeout: .seconds(60))
        }
        try await test.waitForCalls(1)
        await test.advance(by: .seconds(59))
        #expect(test.server.callCount == 1)
        await test.advance(by: .seconds(1))
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.code == .deadlineExceeded)
        #expect(test.server.callCount == 0)
        await test.stop()
    }

    @Test("a handler that waits for a time goes on when the clock gets there")
    func sleeping() async throws {
        let test = try TestServer { [Sleeper(loops: $0)] }
        let echo = Echo_EchoClient(test.client)
        let call = Task { try await echo.sleep(.with { $0.millis = 5000 }).msg }
        try await test.waitForCalls(1)
        await test.advance(by: .milliseconds(4999))
        #expect(test.server.callCount == 1)
        await test.advance(by: .milliseconds(1))
        #expect(test.server.callCount == 0)
        #expect(try await call.value == "slept")
        await test.stop()
    }

    @Test("time passes for calls as it is told, every time")
    func exactTime() async throws {
        let test = try TestServer { [Sleeper(loops: $0)] }
        let echo = Echo_EchoClient(test.client)
        for _ in 0..<100 {
            let waits = Task { try await echo.sleep(.with { $0.millis = 5000 }).msg }
            let fails = Task {
                try await echo.sleep(.with { $0.millis = 9000 }, timeout: .milliseconds(5000))
            }
            try await test.waitForCalls(2)
            await test.advance(by: .milliseconds(4999))
            #expect(test.server.callCount == 2)
            await test.advance(by: .milliseconds(1))
            #expect(test.server.callCount == 0)
            #expect(try await waits.value == "slept")
            let error = await #expect(throws: RPCError.self) { try await fails.value }
            #expect(error?.code == .deadlineExceeded)
        }
        await test.stop()
    }

    @Test("another client has interceptors and options of its own")
    func interceptors() async throws {
        struct Renaming: ClientInterceptor {
            func intercept<Request: Message, Response: Message>(
                _ call: ClientCall<Request>,
                next: (ClientCall<Request>) async throws -> ClientReply<Response>
            ) async throws -> ClientReply<Response> {
                var call = call
                call.options.metadata["who"] = "interceptor"
                return try await next(call)
            }
        }
        struct Repeater: Echo_EchoService {
            func echo(_ request: Echo_EchoRequest, context: RPCContext) async throws
                -> Echo_EchoResponse
            {
                .with { $0.msg = context.metadata["who"] ?? "nobody" }
            }
            func fail(_ request: Echo_EchoRequest, context: RPCContext) async throws
                -> Echo_EchoResponse
            {
                throw BusinessError(1, "no")
            }
            func sleep(_ request: Echo_SleepRequest, context: RPCContext) async throws
                -> Echo_EchoResponse
            {
                .with { $0.msg = "slept" }
            }
        }
        try await withTestServer(of: Repeater()) { test in
            var options = RPCClientOptions()
            options.connections = .pooled(limit: 1)
            let plain = Echo_EchoClient(try test.makeClient(options: options))
            let other = Echo_EchoClient(
                try test.makeClient(interceptors: [Renaming()], options: options)
            )
            #expect(try await plain.echo(.init()).msg == "nobody")
            #expect(try await other.echo(.init()).msg == "interceptor")
        }
    }

    /// Passes calls on.
    struct Forwarder: Echo_EchoService {
        let next: Echo_EchoClient

        func echo(_ request: Echo_EchoRequest, context: RPCContext) async throws
            -> Echo_EchoResponse
        {
            try await next.echo(request)
        }
        func fail(_ request: Echo_EchoRequest, context: RPCContext) async throws
            -> Echo_EchoResponse
        {
            try await next.fail(request)
        }
        func sleep(_ request: Echo_SleepRequest, context: RPCContext) async throws
            -> Echo_EchoResponse
        {
            try await next.sleep(request)
        }
    }

    @Test("servers on one clock pass deadlines on")
    func sharedClock() async throws {
        let inner = try TestServer { [Sleeper(loops: $0)] }
        let outer = try TestServer(clock: inner.clock) { _ in
            [Forwarder(next: Echo_EchoClient(inner.client))]
        }
        let echo = Echo_EchoClient(outer.client)
        let call = Task {
            try await echo.sleep(.with { $0.millis = 3_600_000 }, timeout: .seconds(20))
        }
        try await inner.waitForCalls(1)
        await outer.advance(by: .seconds(19))
        #expect(inner.server.callCount == 1)
        await outer.advance(by: .seconds(1))
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.code == .deadlineExceeded)
        while inner.server.callCount > 0 { await outer.advance(by: .milliseconds(1)) }
        await outer.stop()
        await inner.stop()
    }

    @Test("errors and metadata are those of real connections")
    func errors() async throws {
        let test = try TestServer { [Sleeper(loops: $0)] }
        let echo = Echo_EchoClient(test.client)
        let error = await #expect(throws: BusinessError.self) { try await echo.fail(.init()) }
        #expect(error == BusinessError(7, "no"))
        let second = Echo_EchoClient(try test.makeClient())
        #expect(try await second.echo(.with { $0.msg = "x" }).msg == "x")
        await test.stop()
        let late = await #expect(throws: RPCError.self) { try await second.echo(.init()) }
        #expect(late?.code == .unavailable)
        #expect(throws: RPCError.self) { try test.makeClient() }
    }

    @Test("what the body throws comes out, after the server has ended")
    func failure() async throws {
        let loops = try EventLoopGroup(count: 1)
        var server: RPCServer?
        await #expect(throws: BusinessError(1, "mine")) {
            try await withTestServer(of: EchoService(loops: loops)) { test in
                server = test.server
                _ = try await Echo_EchoClient(test.client).echo(.init())
                throw BusinessError(1, "mine")
            }
        }
        #expect(server?.connectionCount == 0)
        await loops.shutdown()
    }

    @Test("a test that ends with calls in flight ends all the same")
    func stopWithCalls() async throws {
        let test = try TestServer { [Sleeper(loops: $0)] }
        let echo = Echo_EchoClient(test.client)
        let call = Task { try await echo.sleep(.with { $0.millis = 3_600_000 }) }
        try await test.waitForCalls(1)
        await test.stop()
        await #expect(throws: RPCError.self) { try await call.value }
    }
}
