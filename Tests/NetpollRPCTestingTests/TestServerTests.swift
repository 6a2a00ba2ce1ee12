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
        while test.server.callCount > 0 { await test.advance(by: .zero) }
        await test.stop()
    }

    @Test("a handler that waits for a time goes on when the clock gets there")
    func sleeping() async throws {
        let test = try TestServer { [Sleeper(loops: $0)] }
        let echo = Echo_EchoClient(test.client)
        let call = Task { try await echo.sleep(.with { $0.millis = 5000 }).msg }
        try await test.waitForCalls(1)
        // The call is admitted a moment before its handler has set its timer.
        while test.server.callCount > 0 { await test.advance(by: .seconds(1)) }
        #expect(try await call.value == "slept")
        await test.stop()
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
