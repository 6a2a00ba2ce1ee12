import NetpollCore
import NetpollProtobuf
import TestProtos
import TestSupport
import Testing

@testable import NetpollRPC

@Suite("Connections that are reset or ended around a call", .timeLimit(.minutes(2)))
struct ResetTests {
    // Row B1, towards the server.
    @Test("a client that resets before, in and after its request leaves no call and no connection")
    func resetByClient() async throws {
        let fixture = try Fixture()
        let port = fixture.port
        let request = try Frames.echo(messageByteCount: 100_000)
        let sleep = try Frames.sleep(15_000)
        try await blocking {
            for _ in 0..<20 {
                try RawSocket(port: port).reset()
                let inRequest = try RawSocket(port: port)
                try inRequest.send(request[..<50_000])
                inRequest.reset()
                let afterRequest = try RawSocket(port: port)
                try afterRequest.send(request)
                afterRequest.reset()
                let inReply = try RawSocket(port: port)
                try inReply.send(request)
                _ = try inReply.receive(upTo: 10)
                inReply.reset()
                let inHandler = try RawSocket(port: port)
                try inHandler.send(sleep)
                inHandler.reset()
            }
        }
        try await eventually("handlers were cancelled and connections are gone") {
            fixture.server.callCount == 0 && fixture.server.connectionCount == 0
        }
        try await fixture.expectService()
        await fixture.stop()
    }

    // Row B1, towards the client.
    @Test(
        "a reset by the server fails all calls in flight once, as unavailable, and the next succeeds",
        arguments: CallTests.modes
    )
    func resetByServer(mode: RPCClientOptions.Connections) async throws {
        let fixture = try Fixture()
        let listener = try RawListener()
        let loops = fixture.loops
        var options = RPCClientOptions()
        options.connections = mode == .pooled(limit: 100) ? mode : .multiplexed(count: 1)
        let echo = Echo_EchoClient(
            try RPCClient(to: .local(listener.port), options: options, group: loops)
        )
        let count = 5
        // Multiplexed calls share a connection, pooled ones have one each.
        let server = Task {
            try await blocking {
                if mode == .pooled(limit: 100) {
                    let all = try (0..<count).map { _ in try listener.accept() }
                    for raw in all { _ = try raw.receiveFrame() }
                    for raw in all { raw.reset() }
                } else {
                    let raw = try listener.accept()
                    for _ in 0..<count { _ = try raw.receiveFrame() }
                    raw.reset()
                }
            }
        }
        let codes = await withTaskGroup(of: RPCError.Code?.self) { tasks in
            for _ in 0..<count {
                tasks.addTask {
                    do {
                        _ = try await echo.echo(.init(), timeout: .seconds(20))
                        return nil
                    } catch {
                        return (error as? RPCError)?.code
                    }
                }
            }
            return await tasks.reduce(into: [RPCError.Code?]()) { $0.append($1) }
        }
        #expect(codes == [RPCError.Code?](repeating: .unavailable, count: count))
        try await server.value
        // A healthy server takes the port; the client finds it by itself.
        let port = listener.port
        listener.close()
        let second = RPCServer(services: [EchoService(loops: loops)], group: loops)
        try second.start(on: [.local(port)])
        #expect(try await echo.echo(.with { $0.msg = "again" }).msg == "again")
        await second.shutdown()
        await fixture.stop()
    }

    @Test("a pooled connection whose call was given up is not lent to the caller's next call")
    func givenUp() async throws {
        let fixture = try Fixture()
        let echo = try fixture.echo(.pooled(limit: 4))
        // The call that comes at once after the failure meets the connection as it ends.
        for round in 0..<200 {
            if round % 2 == 0 {
                let error = await #expect(throws: RPCError.self) {
                    try await echo.sleep(.with { $0.millis = 20_000 }, timeout: .milliseconds(1))
                }
                #expect(error?.code == .deadlineExceeded)
            } else {
                let call = Task { try await echo.sleep(.with { $0.millis = 20_000 }) }
                while fixture.server.callCount == 0 { await Task.yield() }
                call.cancel()
                let error = await #expect(throws: RPCError.self) { try await call.value }
                #expect(error?.code == .cancelled)
            }
            #expect(try await echo.echo(.with { $0.msg = "\(round)" }).msg == "\(round)")
            try await eventually("the handler has ended") { fixture.server.callCount == 0 }
        }
        await fixture.stop()
    }

    // Row B2.
    @Test("a client that ends its direction after several requests gets all answers, then the end")
    func halfClose() async throws {
        let fixture = try Fixture()
        let port = fixture.port
        let requests = try (1...3).flatMap { try Frames.sleep(Int64(20 * $0), Int32($0)) }
        let (replies, end) = try await blocking {
            let raw = try RawSocket(port: port)
            try raw.send(requests)
            raw.finish()
            let replies = try (0..<3).map { _ in try raw.receiveFrame() }
            return (replies, try raw.receiveEnd())
        }
        #expect(
            replies.allSatisfy { String(decoding: $0, as: UTF8.self).contains("slept") }
        )
        #expect(end == .finished)
        try await eventually("the connection is gone") { fixture.server.connectionCount == 0 }
        await fixture.stop()
    }

    // Row B4.
    @Test(
        "a connection that the server closed while it was idle is not used for the next call",
        arguments: CallTests.modes
    )
    func closedWhileIdle(mode: RPCClientOptions.Connections) async throws {
        let loops = try EventLoopGroup(count: 2)
        var options = RPCClientOptions()
        options.connections = mode
        let listener = try RawListener()
        let port = listener.port
        listener.close()
        let echo = Echo_EchoClient(
            try RPCClient(to: .local(port), options: options, group: loops)
        )
        for round in 0..<5 {
            let server = RPCServer(services: [EchoService(loops: loops)], group: loops)
            try server.start(on: [.local(port)])
            // Fails when the client used what the last server has closed.
            for call in 0..<4 {
                let text = "\(round)-\(call)"
                #expect(try await echo.echo(.with { $0.msg = text }).msg == text)
            }
            await server.shutdown()
        }
        await loops.shutdown()
    }

    // Row B4: the end is on its way while the call is made.
    @Test("a server that closes each connection after one call never fails a pooled caller twice")
    func closedAfterEachCall() async throws {
        var serverOptions = RPCServerOptions()
        serverOptions.idleTimeout = .milliseconds(20)
        let fixture = try Fixture(options: serverOptions)
        let echo = try fixture.echo(.pooled(limit: 4))
        var failures = 0
        for number in 0..<60 {
            // The pauses pass through the very moment at which the server closes.
            try await fixture.loops.loops[0].sleep(
                until: .after(.microseconds(18_000 + number * 70))
            )
            do {
                _ = try await echo.echo(.init())
            } catch let error as RPCError {
                #expect(error.code == .unavailable)
                failures += 1
            }
        }
        // Only a request that crossed the server's end on the wire may fail.
        #expect(failures <= 6)
        await fixture.stop()
    }
}
