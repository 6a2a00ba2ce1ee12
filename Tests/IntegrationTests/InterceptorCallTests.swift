import InMemoryTracing
import NetpollCore
import NetpollProtobuf
import NetpollTesting
import TestProtos
import TestSupport
import Testing
import Tracing

@testable import NetpollRPC

@Suite("Interceptors and deadlines of a real server", .timeLimit(.minutes(2)))
struct InterceptorCallTests {
    /// A server with its loops, and a client of it.
    private struct Setup {
        let loops: EventLoopGroup
        let server: RPCServer
        let client: RPCClient
        let echo: Echo_EchoClient
        private let clock: ManualClock?

        init(
            _ interceptors: [any ServerInterceptor] = [],
            options: RPCServerOptions = RPCServerOptions(),
            clientInterceptors: [any ClientInterceptor] = [],
            clientName: String = "",
            clock: ManualClock? = nil
        ) throws {
            loops = try EventLoopGroup(count: 1, options: clock?.options ?? EventLoopGroupOptions())
            server = RPCServer(
                services: [WaitingService(loops: loops)],
                interceptors: interceptors,
                options: options,
                group: loops
            )
            let address = try server.start(on: [.tcp(host: "127.0.0.1", port: 0)])[0]
            var clientOptions = RPCClientOptions()
            clientOptions.serviceName = clientName
            client = try RPCClient(
                to: address,
                interceptors: clientInterceptors,
                options: clientOptions,
                group: loops
            )
            echo = Echo_EchoClient(client)
            self.clock = clock
        }

        func stop() async {
            await client.close()
            let server = server
            async let ended: Void = server.shutdown()
            // What a close may take is measured on the clock, which nobody else moves.
            while let clock, server.connectionCount > 0 { await clock.advance(by: .seconds(1)) }
            await ended
            await loops.shutdown()
        }
    }

    /// Tells who calls, and waits without end when asked to sleep.
    private struct WaitingService: Echo_EchoService {
        let loops: EventLoopGroup

        func echo(_ request: Echo_EchoRequest, context: RPCContext) async throws
            -> Echo_EchoResponse
        {
            .with { $0.msg = context.callerService ?? "nobody" }
        }

        func fail(_ request: Echo_EchoRequest, context: RPCContext) async throws
            -> Echo_EchoResponse
        {
            throw RPCError(.internalError, "deliberate failure")
        }

        func sleep(_ request: Echo_SleepRequest, context: RPCContext) async throws
            -> Echo_EchoResponse
        {
            try await loops.next().sleep(until: .distantFuture)
            return Echo_EchoResponse()
        }
    }

    @Test("the caller's name reaches the handler", arguments: ["", "Front"])
    func callerName(name: String) async throws {
        let setup = try Setup(clientName: name)
        #expect(try await setup.echo.echo(.init()).msg == (name.isEmpty ? "nobody" : name))
        await setup.stop()
    }

    @Test("without its token a call is told so by a code that survives the wire")
    func token() async throws {
        let setup = try Setup([ServerTokenInterceptor(accepting: [AccessToken("s3cret")])])
        let error = await #expect(throws: RPCError.self) { try await setup.echo.echo(.init()) }
        #expect(error?.code == .unauthenticated && error?.retry == .never)
        var options = CallOptions()
        options.metadata[AccessToken.defaultKey] = "s3cret"
        #expect(try await setup.echo.echo(.init(), options: options).msg == "nobody")
        await setup.stop()
    }

    @Test("a span of the caller's trace is around the handler, over the wire")
    func tracing() async throws {
        let tracer = InMemoryTracer()
        let setup = try Setup([ServerTracingInterceptor(tracer: tracer)])
        var options = CallOptions()
        options.metadata[InMemoryTracer.traceIDKey] = "trace-1"
        options.metadata[InMemoryTracer.spanIDKey] = "span-1"
        _ = try await setup.echo.echo(.init(), options: options)
        await #expect(throws: RPCError.self) {
            try await setup.echo.fail(.init(), options: options)
        }
        await setup.stop()
        let spans = tracer.finishedSpans
        #expect(spans.map(\.operationName) == ["echo.Echo/Echo", "echo.Echo/Fail"])
        #expect(spans.allSatisfy { $0.traceID == "trace-1" && $0.parentSpanID == "span-1" })
        #expect(spans.last?.status?.code == .error)
    }

    @Test("a token that does not come ends its call at the deadline", arguments: [true, false])
    func slowToken(isCancelled: Bool) async throws {
        let clock = ManualClock()
        let (asked, never, ended) = (Gate(), Gate(), Gate())
        let slow = ClientTokenInterceptor {
            asked.open()
            try? await never.waitOrCancel()
            ended.open()
            return AccessToken("late")
        }
        let setup = try Setup(clientInterceptors: [slow], clock: clock)
        let call = Task(executorPreference: setup.loops.next()) {
            try await setup.echo.echo(.init(), timeout: .milliseconds(100))
        }
        await asked.wait()
        if isCancelled { call.cancel() } else { await clock.advance(by: .milliseconds(100)) }
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.code == (isCancelled ? .cancelled : .deadlineExceeded))
        // Who gets the token learns that nobody waits for it.
        await ended.wait()
        await setup.stop()
    }

    @Test("a token is asked for with the task-local values of the caller, and is sent")
    func renewedToken() async throws {
        let renewed = ClientTokenInterceptor { AccessToken(Self.$secret.get()) }
        let setup = try Setup(
            [ServerTokenInterceptor(accepting: [AccessToken("fresh")])],
            clientInterceptors: [renewed]
        )
        let greeting = try await Self.$secret.withValue("fresh") {
            try await setup.echo.echo(.init()).msg
        }
        #expect(greeting == "nobody")
        let error = await #expect(throws: RPCError.self) { try await setup.echo.echo(.init()) }
        #expect(error?.code == .unauthenticated)
        await setup.stop()
    }

    @TaskLocal private static var secret = "stale"

    @Test("the client's limit for a method ends its calls, and the others' limit theirs")
    func methodDeadlines() async throws {
        let clock = ManualClock()
        let limits = ClientDeadlineInterceptor(
            limit: .milliseconds(500),
            byMethod: ["echo.Echo/Sleep": .milliseconds(50), "echo.Echo/Fail": .zero]
        )
        let setup = try Setup(clientInterceptors: [limits], clock: clock)
        #expect(try await setup.echo.echo(.init()).msg == "nobody")
        for (timeout, end) in [(Duration.seconds(20), 50), (.milliseconds(20), 20)] {
            let call = Task(executorPreference: setup.loops.next()) {
                try await setup.echo.sleep(.init(), timeout: timeout)
            }
            while setup.server.callCount == 0 { await setup.loops.next().turn() }
            await clock.advance(by: .milliseconds(end - 1))
            #expect(setup.server.callCount == 1 && setup.client.callCount == 1)
            await clock.advance(by: .milliseconds(1))
            let error = await #expect(throws: RPCError.self) { try await call.value }
            #expect(error?.code == .deadlineExceeded)
            while setup.server.callCount > 0 { await clock.advance(by: .milliseconds(50)) }
        }
        let error = await #expect(throws: RPCError.self) { try await setup.echo.fail(.init()) }
        #expect(error?.code == .deadlineExceeded)
        await setup.stop()
    }

    @Test("the server's limit ends a handler whose caller would wait longer")
    func deadlineLimit() async throws {
        let clock = ManualClock()
        var options = RPCServerOptions()
        options.deadlines.limit = .milliseconds(50)
        let setup = try Setup(options: options, clock: clock)
        let call = Task(executorPreference: setup.loops.next()) {
            try await setup.echo.sleep(.init(), timeout: .seconds(20))
        }
        while setup.server.callCount == 0 { await setup.loops.next().turn() }
        await clock.advance(by: .milliseconds(49))
        #expect(setup.server.callCount == 1)
        await clock.advance(by: .milliseconds(1))
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.code == .deadlineExceeded)
        await setup.stop()
    }

    @Test("a caller that names no timeout gets the server's")
    func unspecifiedDeadline() async throws {
        let clock = ManualClock()
        var options = RPCServerOptions()
        options.deadlines.unspecified = .milliseconds(30)
        let setup = try Setup(options: options, clock: clock)
        let peer = try await Dialer(group: setup.loops).dial(#require(setup.client.address))
        // Framed has no place for a timeout.
        let head = FrameHead(
            transport: .framed,
            type: .call,
            sequenceID: 5,
            method: Array("Sleep".utf8),
            template: HeaderTemplate()
        )
        let byteCount = try FrameEncoder.byteCount(of: head, bodyByteCount: 0, limits: WireLimits())
        var output = LinkBuffer()
        let body = FrameEncoder.append(head, byteCount: byteCount, to: &output)
        FrameEncoder.finish(head, byteCount: byteCount, body: body, in: &output)
        try await peer.write(output.readArray(byteCount) ?? [])
        while setup.server.callCount == 0 { await setup.loops.next().turn() }
        await clock.advance(by: .milliseconds(30))
        let answer = try #require(try await peer.read())
        let exception = WireException(parsing: try WireMessage(parsing: answer).body)
        #expect(exception.message.contains("the caller's deadline passed"))
        peer.close()
        await setup.stop()
    }

    @Test("one connection may carry Framed and TTHeader in turn, each answered in its form")
    func mixedForms() async throws {
        let fixture = try Fixture()
        let framed = try Recording("framed-echo", "c2s").bytes
        let header = try Recording("ttheader-echo", "c2s").bytes
        let received = try await RawPeer(fixture).exchange(framed + header + framed)
        var input = LinkBuffer()
        input.write(received)
        var transports: [Transport] = []
        while case .frame(let frame) = try FrameDecoder(limits: WireLimits()).next(&input) {
            transports.append(frame.transport)
        }
        #expect(transports == [.framed, .ttHeaderFramed, .framed])
        await fixture.stop()
    }
}
