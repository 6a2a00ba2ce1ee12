import NetpollCore
import NetpollProtobuf
import NetpollRPC
import TestProtos
import Testing

@Suite("Calls over real sockets", .timeLimit(.minutes(2)))
struct CallTests {
    static let modes: [RPCClientOptions.Connections] = [
        .multiplexed(count: 2), .pooled(limit: 100),
    ]

    @Test("1,000 concurrent calls each get their own answer", arguments: modes)
    func concurrent(mode: RPCClientOptions.Connections) async throws {
        let fixture = try Fixture()
        let echo = try fixture.echo(mode)
        let answers = try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for number in 0..<1000 {
                group.addTask { (number, try await echo.echo(.with { $0.msg = "m\(number)" }).msg) }
            }
            return try await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
        }
        #expect(answers.count == 1000)
        #expect(answers.allSatisfy { $0.value == "m\($0.key)" })
        await fixture.stop()
    }

    @Test(
        "a Unix socket, a large message and an empty one work alike",
        arguments: [0, 1, 70_000, 3_000_000]
    )
    func sizes(size: Int) async throws {
        let fixture = try Fixture(on: .unix(path: "@netpoll-call-tests-\(size)"))
        let text = String(repeating: "x", count: size)
        #expect(try await fixture.echo().echo(.with { $0.msg = text }).msg == text)
        await fixture.stop()
    }

    @Test("a call that times out ends at its deadline, and a multiplexed connection goes on")
    func timeout() async throws {
        let fixture = try Fixture()
        let client = try fixture.client(.multiplexed(count: 1))
        let echo = Echo_EchoClient(client)
        _ = try await echo.echo(.init())
        let start = ContinuousClock.now
        let error = await #expect(throws: RPCError.self) {
            try await echo.sleep(.with { $0.millis = 1000 }, timeout: .milliseconds(100))
        }
        let took = ContinuousClock.now - start
        #expect(error?.code == .deadlineExceeded)
        #expect(took >= .milliseconds(100))
        #expect(try await echo.echo(.with { $0.msg = "still here" }).msg == "still here")
        #expect(fixture.server.connectionCount == 1)
        await fixture.stop()
    }

    @Test("a timeout of zero or less fails at once, a huge one does not overflow", arguments: modes)
    func oddTimeouts(mode: RPCClientOptions.Connections) async throws {
        let fixture = try Fixture()
        let echo = try fixture.echo(mode)
        for timeout in [Duration.zero, .seconds(-1)] {
            let error = await #expect(throws: RPCError.self) {
                try await echo.echo(.init(), timeout: timeout)
            }
            #expect(error?.code == .deadlineExceeded)
        }
        #expect(
            try await echo.echo(.with { $0.msg = "x" }, timeout: .seconds(Int64.max)).msg == "x"
        )
        await fixture.stop()
    }

    @Test("a call whose deadline passes before it is sent is not sent", arguments: modes)
    func lateBeforeSending(mode: RPCClientOptions.Connections) async throws {
        let fixture = try Fixture()
        let echo = try fixture.echo(mode)
        // Without a connection, then with one that is ready.
        for round in 0..<20 {
            if round == 10 { _ = try await echo.echo(.init()) }
            var options = CallOptions()
            let info = ReplyInfo()
            options.replyInfo = info
            let error = await #expect(throws: RPCError.self) {
                try await echo.echo(.init(), timeout: .nanoseconds(1), options: options)
            }
            #expect(error?.code == .deadlineExceeded)
            #expect(info.attempts == 0)
        }
        #expect(try await echo.echo(.with { $0.msg = "x" }).msg == "x")
        await fixture.stop()
    }

    @Test("cancelling the task ends the call at once", arguments: modes)
    func cancellation(mode: RPCClientOptions.Connections) async throws {
        let fixture = try Fixture()
        let echo = try fixture.echo(mode)
        _ = try await echo.echo(.init())
        let task = Task { try await echo.sleep(.with { $0.millis = 15_000 }) }
        task.cancel()
        let error = await #expect(throws: RPCError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(try await echo.echo(.with { $0.msg = "next" }).msg == "next")
        await fixture.stop()
    }

    @Test("a throwing handler is an exception and the connection is kept", arguments: modes)
    func failure(mode: RPCClientOptions.Connections) async throws {
        let fixture = try Fixture()
        let echo = try fixture.echo(mode)
        for _ in 0..<3 {
            let error = await #expect(throws: RPCError.self) { try await echo.fail(.init()) }
            #expect(error?.code == .internalError && error?.exceptionID == 6)
            #expect(error?.message == "deliberate failure")
        }
        #expect(fixture.server.connectionCount <= 2)
        await fixture.stop()
    }

    @Test("a business error arrives as it was thrown")
    func businessError() async throws {
        let fixture = try Fixture()
        let echo = try fixture.echo()
        await #expect(throws: BusinessError(1001, "biz failed", extra: ["k": "v"])) {
            try await echo.echo(.with { $0.action = "biz" })
        }
        await fixture.stop()
    }

    @Test("metadata reaches the handler")
    func metadata() async throws {
        let fixture = try Fixture()
        var options = CallOptions()
        options.metadata = ["t": "1"]
        options.persistentMetadata = ["p": "2"]
        let reply = try await fixture.echo().echo(.with { $0.action = "meta" }, options: options)
        #expect(reply.msg == "P:p=2;T:t=1")
        await fixture.stop()
    }

    @Test(
        "unknown services and methods get their exceptions, and the connection is kept",
        arguments: [
            ("Echo", "Nope", Int32(1)), ("Nope", "Nope", 20), ("Nope", "Echo", -1),
        ]
    )
    func unknown(service: String, name: String, exception: Int32) async throws {
        let fixture = try Fixture()
        let client = try fixture.client(.multiplexed(count: 1))
        let method = MethodDescriptor(service: service, package: "", name: name)
        let request = Echo_EchoRequest.with { $0.msg = "x" }
        if exception < 0 {
            // A wrong service name is forgiven when only one service has the method.
            let reply: Echo_EchoResponse = try await client.call(method, request)
            #expect(reply.msg == "x")
        } else {
            let error = await #expect(throws: RPCError.self) {
                let _: Echo_EchoResponse = try await client.call(method, request)
            }
            #expect(error?.code == .unimplemented && error?.exceptionID == exception)
        }
        #expect(try await Echo_EchoClient(client).echo(request).msg == "x")
        #expect(fixture.server.connectionCount == 1)
        await fixture.stop()
    }

    // Row A5 at the client, as the next.
    @Test("a request above the client's limit fails without being sent")
    func oversizedRequest() async throws {
        let fixture = try Fixture()
        var options = RPCClientOptions()
        options.limits.frameByteCount = 2000
        let small = Echo_EchoClient(
            try RPCClient(to: fixture.address, options: options, group: fixture.loops)
        )
        let error = await #expect(throws: RPCError.self) {
            try await small.echo(.with { $0.msg = String(repeating: "x", count: 3000) })
        }
        #expect(error?.code == .resourceExhausted)
        #expect(error?.message.contains("exceeds the limit of 2000") == true)
        #expect(try await small.echo(.with { $0.msg = "x" }).msg == "x")
        await fixture.stop()
    }

    @Test(
        "a reply above the client's limit fails its call alone, and says nothing against the server",
        arguments: [.multiplexed(count: 1), .pooled(limit: 2)] as [RPCClientOptions.Connections]
    )
    func oversizedReply(mode: RPCClientOptions.Connections) async throws {
        let loops = try EventLoopGroup(count: 2)
        let started = Locked(0)
        let (go, release) = AsyncStream.makeStream(of: Void.self)
        let service = ScriptedEcho { request, _ in
            started.withLock { $0 += 1 }
            if request.msg == "slow" { for await _ in go { break } }
            guard request.msg == "large" else { return .with { $0.msg = request.msg } }
            return .with { $0.msg = String(repeating: "x", count: 300_000) }
        }
        let server = RPCServer(services: [service], group: loops)
        let address = try server.start(on: [.tcp(host: "127.0.0.1", port: 0)])[0]
        var options = RPCClientOptions()
        options.connections = mode
        options.limits.frameByteCount = 2000
        let client = try RPCClient(
            resolver: StaticResolver([address]),
            options: options,
            group: loops
        )
        let echo = Echo_EchoClient(client)
        let slow = Task { try await echo.echo(.with { $0.msg = "slow" }).msg }
        try await eventually("the slow call runs") { started.withLock { $0 } == 1 }
        for _ in 0..<10 {
            let error = await #expect(throws: RPCError.self) {
                try await echo.echo(.with { $0.msg = "large" })
            }
            #expect(error?.code == .resourceExhausted)
            #expect(error?.message.contains("exceeds the limit of 2000") == true)
        }
        release.finish()
        #expect(try await slow.value == "slow")
        #expect(try await echo.echo(.with { $0.msg = "x" }).msg == "x")
        if case .multiplexed = mode { #expect(server.connectionCount == 1) }
        #expect(client.endpoints.map(\.failed) == [0])
        await client.close()
        await server.shutdown()
        await loops.shutdown()
    }

    @Test("a refused connection is told at once, with its cause")
    func refused() async throws {
        let fixture = try Fixture()
        await fixture.server.shutdown()
        let error = await #expect(throws: RPCError.self) { try await fixture.echo().echo(.init()) }
        #expect(error?.code == .unavailable)
        #expect((error?.cause as? NetpollError)?.code == .connectionRefused)
        await fixture.loops.shutdown()
    }
}
