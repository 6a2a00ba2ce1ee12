import NetpollCore
import NetpollProtobuf
import NetpollTesting
import TestProtos
import Testing

@testable import NetpollRPC

@Suite("Clients and servers in one process", .timeLimit(.minutes(2)))
struct InProcessTests {
    private func makeServer(
        _ clock: ManualClock,
        _ body: @escaping @Sendable (Echo_EchoRequest, RPCContext) async throws -> String
    ) throws -> (RPCServer, EventLoopGroup) {
        let loops = try EventLoopGroup(count: 2, options: clock.options)
        return (RPCServer(services: [Handler(body: body)], group: loops), loops)
    }

    private func makeClient(
        _ server: RPCServer,
        _ loops: EventLoopGroup,
        isInMemory: Bool,
        options: RPCClientOptions = RPCClientOptions()
    ) throws -> RPCClient {
        if isInMemory { return try RPCClient(inProcess: server, options: options) }
        let address = try server.start(on: [.tcp(host: "127.0.0.1", port: 0)])[0]
        return try RPCClient(to: address, options: options, group: loops)
    }

    private func end(_ server: RPCServer, _ loops: EventLoopGroup, _ clock: ManualClock) async {
        async let ended: Void = server.shutdown()
        while server.connectionCount > 0 { await clock.advance(by: .milliseconds(100)) }
        await ended
        await loops.shutdown()
    }

    @Test(
        "calls go through the same frames and limits, without a descriptor",
        arguments: CallTests.modes
    )
    func calls(mode: RPCClientOptions.Connections) async throws {
        let clock = ManualClock()
        let (server, loops) = try makeServer(clock) { request, context in
            #expect(context.transport == .ttHeaderFramed)
            return request.msg + (context.metadata["k"] ?? "")
        }
        var options = RPCClientOptions()
        options.connections = mode
        let echo = Echo_EchoClient(try RPCClient(inProcess: server, options: options))
        let text = String(repeating: "x", count: 3_000_000)
        #expect(try await echo.echo(.with { $0.msg = text }).msg == text)
        var call = CallOptions()
        call.metadata["k"] = "v"
        #expect(try await echo.echo(.init(), options: call).msg == "v")
        #expect(server.localAddresses.isEmpty)
        await end(server, loops, clock)
        #expect(try await refusal(echo).code == .unavailable)
        #expect(throws: RPCError.self) { try RPCClient(inProcess: server) }
    }

    // Row C4.
    @Test(
        "ten thousand calls on one connection time out at once, and no other is hurt",
        arguments: [true, false]
    )
    func timeouts(isInMemory: Bool) async throws {
        let clock = ManualClock()
        let gate = Gate()
        let loops = try EventLoopGroup(count: 2, options: clock.options)
        var options = RPCServerOptions()
        options.inFlightLimit = 20_000
        let handler = Handler { request, _ in
            try await gate.waitOrCancel()
            return request.msg
        }
        let server = RPCServer(services: [handler], options: options, group: loops)
        var clientOptions = RPCClientOptions()
        clientOptions.connections = .multiplexed(count: 1)
        let client = try makeClient(server, loops, isInMemory: isInMemory, options: clientOptions)
        let echo = Echo_EchoClient(client)
        let patient = Task {
            try await echo.echo(.with { $0.msg = "patient" }, timeout: .seconds(60)).msg
        }
        let count = 10_000
        let late = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    do {
                        _ = try await echo.echo(.init(), timeout: .seconds(5))
                    } catch let error as RPCError where error.code == .deadlineExceeded {
                        late.increment()
                    } catch {
                        Issue.record(error)
                    }
                }
            }
            group.addTask {
                while server.callCount < count + 1 { await Task.yield() }
                for loop in loops.loops { await loop.turn() }
                await clock.advance(by: .seconds(5))
            }
        }
        #expect(late.value == count)
        try await eventually("their handlers have ended") { server.callCount == 1 }
        gate.open()
        #expect(try await patient.value == "patient")
        #expect(server.connectionCount == 1)
        await end(server, loops, clock)
    }

    // Row C5.
    @Test("a reply and a deadline at the same moment give one outcome", arguments: [true, false])
    func race(isInMemory: Bool) async throws {
        let clock = ManualClock()
        let gates = Locked<[Gate]>([])
        let (server, loops) = try makeServer(clock) { _, _ in
            let gate = Gate()
            gates.withLock { $0.append(gate) }
            await gate.wait()
            return "done"
        }
        let client = try makeClient(server, loops, isInMemory: isInMemory)
        let echo = Echo_EchoClient(client)
        let (won, lost) = (Counter(), Counter())
        for round in 0..<300 {
            let call = Task { try await echo.echo(.init(), timeout: .seconds(1)).msg }
            while gates.withLock({ $0.isEmpty }) { await Task.yield() }
            let gate = gates.withLock { $0.removeLast() }
            async let advanced: Void = clock.advance(by: .seconds(1))
            for _ in 0..<round % 7 { await Task.yield() }
            gate.open()
            await advanced
            do {
                #expect(try await call.value == "done")
                won.increment()
            } catch let error as RPCError {
                #expect(error.code == .deadlineExceeded)
                lost.increment()
            }
        }
        #expect(won.value + lost.value == 300)
        try await eventually("no slot is left behind") { server.callCount == 0 }
        await end(server, loops, clock)
    }

    // Row C17, in short.
    @Test("mixed sizes and clients that come and go leave nothing behind")
    func soak() async throws {
        let clock = ManualClock()
        let (server, loops) = try makeServer(clock) { request, _ in request.msg }
        let leaks = LeakTracker()
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        for round in 0..<40 {
            var options = RPCClientOptions()
            options.connections = round % 2 == 0 ? .multiplexed(count: 2) : .pooled(limit: 4)
            let client = try RPCClient(inProcess: server, options: options)
            leaks.track(client, as: "client \(round)")
            let echo = Echo_EchoClient(client)
            let sizes = (0..<20).map { _ in
                Int.random(in: 0...1 << Int.random(in: 0...18, using: &random), using: &random)
            }
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for size in sizes {
                    group.addTask {
                        let text = String(repeating: "s", count: size)
                        return try await echo.echo(.with { $0.msg = text }).msg == text
                    }
                }
                for try await isRight in group { #expect(isRight, "seed \(seed)") }
            }
            await client.close()
        }
        while server.connectionCount > 0 { await clock.advance(by: .milliseconds(100)) }
        #expect(server.callCount == 0)
        #expect(await leaks.leftovers() == [], "seed \(seed)")
        await end(server, loops, clock)
    }
}
