import NetpollCore
import NetpollProtobuf
import NetpollRPC
import NetpollTesting
import Synchronization
import TestProtos
import Testing

@Suite("Retries, deadlines and ends of calls", .timeLimit(.minutes(2)))
struct RetryTests {
    private final class Count: Sendable {
        private let value = Atomic<Int>(0)
        var now: Int { value.load(ordering: .relaxed) }
        @discardableResult
        func add() -> Int { value.add(1, ordering: .relaxed).newValue }
    }

    private func policy(_ attempts: Int = 3) -> RetryPolicy {
        var policy = RetryPolicy.failure(attemptLimit: attempts)
        policy.backOff.initial = .zero
        return policy
    }

    @Test("a failure is tried again, and the reply's facts are told")
    func retry() async throws {
        let count = Count()
        let fleet = try Fleet(1, loops: try EventLoopGroup(count: 1)) { _, _, context in
            context.responseMetadata["attempt"] =
                context.persistentMetadata["RetryReq"] ?? "first"
            if count.add() < 3 { throw RPCError(.unavailable, "not yet") }
        }
        let client = try RPCClient(to: fleet.addresses[0], group: fleet.loops)
        var options = CallOptions()
        options.retryPolicy = policy()
        let info = ReplyInfo()
        options.replyInfo = info
        #expect(try await Echo_EchoClient(client).echo(.init(), options: options).msg == "0")
        #expect(info.attempts == 3 && info.address == fleet.addresses[0])
        #expect(info.metadata["attempt"] == "2")
        await client.close()
        await fleet.stop()
    }

    // Row C10.
    @Test("servers that fail always get a tenth more than the calls, with many callers too")
    func budget() async throws {
        let count = Count()
        let fleet = try Fleet(2, loops: try EventLoopGroup(count: 1)) { _, _, _ in
            count.add()
            throw RPCError(.unavailable, "never")
        }
        var options = RPCClientOptions()
        options.retryPolicy = policy(5)
        options.circuitBreaker = nil
        let client = try RPCClient(
            resolver: StaticResolver(fleet.addresses),
            options: options,
            group: fleet.loops
        )
        func makeCalls(_ calls: Int) async -> Int {
            let before = count.now
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        for _ in 0..<calls / 20 {
                            _ = try? await Echo_EchoClient(client).echo(.init())
                        }
                    }
                }
            }
            return count.now - before
        }
        // What a client starts with is used up by then.
        let first = await makeCalls(100)
        #expect(first > 100 && first <= 100 + 10 + 10, "\(first)")
        let later = await makeCalls(2000)
        #expect(later > 2000 && later <= 2200 + 1, "\(later)")
        await client.close()
        await fleet.stop()
    }

    @Test("without a policy, or with advice against it, a failure is final")
    func noRetry() async throws {
        let count = Count()
        let fleet = try Fleet(1, loops: try EventLoopGroup(count: 1)) { _, request, _ in
            count.add()
            throw RPCError(
                .unavailable,
                "no",
                retry: request.msg.isEmpty ? nil : .never
            )
        }
        let client = try RPCClient(to: fleet.addresses[0], group: fleet.loops)
        _ = try? await Echo_EchoClient(client).echo(.init())
        #expect(count.now == 1)
        var options = CallOptions()
        options.retryPolicy = policy()
        _ = try? await Echo_EchoClient(client).echo(.with { $0.msg = "x" }, options: options)
        #expect(count.now == 2)
        await client.close()
        await fleet.stop()
    }

    @Test("a hedge answers when the first server does not")
    func hedging() async throws {
        let clock = ManualClock()
        let loops = try EventLoopGroup(count: 1, options: clock.options)
        let fleet = try Fleet(2, loops: loops) { number, _, _ in
            if number == 0 { try await loops.loops[0].sleep(until: .distantFuture) }
        }
        var options = RPCClientOptions()
        options.retryPolicy = .backup(after: .milliseconds(50))
        options.retryBudget.share = 1
        options.circuitBreaker = nil
        let client = try RPCClient(
            resolver: StaticResolver(fleet.addresses),
            options: options,
            group: loops
        )
        let echo = Echo_EchoClient(client)
        for _ in 0..<10 {
            let call = Task { try await echo.echo(.init()).msg }
            #expect(try await clock.advance(until: call) == "1")
        }
        // The losers are cancelled: nothing of them is left on this side.
        while client.endpoints.contains(where: { $0.inFlight > 0 }) { await Task.yield() }
        #expect(client.callCount == 0)
        await client.close()
        await loops.shutdown()
    }

    @Test("an attempt that did not decide its call leaves nothing in what is told of the outcome")
    func loser() async throws {
        let clock = ManualClock()
        let loops = try EventLoopGroup(count: 1, options: clock.options)
        let count = Count()
        // The first fails while the second, which began beside it, never ends.
        let fleet = try Fleet(2, loops: loops) { _, _, context in
            guard count.add() == 1 else {
                return try await loops.loops[0].sleep(until: .distantFuture)
            }
            context.responseMetadata["attempt"] = "first"
            try await loops.loops[0].sleep(until: clock.deadline(after: .milliseconds(200)))
            throw RPCError(.unavailable, "not now")
        }
        let client = try RPCClient(resolver: StaticResolver(fleet.addresses), group: loops)
        let info = ReplyInfo()
        var options = CallOptions()
        options.retryPolicy = .mixed(after: .milliseconds(50), attemptLimit: 2)
        options.replyInfo = info
        let call = Task { [options] in
            try await Echo_EchoClient(client)
                .echo(.init(), timeout: .seconds(1), options: options).msg
        }
        let error = await #expect(throws: RPCError.self) { try await clock.advance(until: call) }
        #expect(error?.code == .deadlineExceeded && info.attempts == 2 && count.now == 2)
        #expect(info.address == nil && info.metadata.isEmpty)
        await client.close()
        await loops.shutdown()
    }

    @Test("a hedge goes to another server than its call, whatever else is called meanwhile")
    func concurrentHedging() async throws {
        let clock = ManualClock()
        let loops = try EventLoopGroup(count: 1, options: clock.options)
        let fleet = try Fleet(2, loops: loops) { number, _, _ in
            if number == 0 { try await loops.loops[0].sleep(until: .distantFuture) }
        }
        var options = RPCClientOptions()
        options.retryPolicy = .backup(after: .milliseconds(50))
        options.retryBudget.share = 1
        options.circuitBreaker = nil
        let client = try RPCClient(
            resolver: StaticResolver(fleet.addresses),
            options: options,
            group: loops
        )
        let echo = Echo_EchoClient(client)
        let calls = (0..<10).map { _ in Task { try await echo.echo(.init()).msg } }
        for call in calls { #expect(try await clock.advance(until: call) == "1") }
        await client.close()
        await loops.shutdown()
    }

    @Test("a call inside a handler gets what is left of its deadline, and its persistent metadata")
    func propagation() async throws {
        let loops = try EventLoopGroup(count: 2)
        let seen = Locked<(Deadline, Metadata)?>(nil)
        let inner = try Fleet(1, loops: loops) { _, _, context in
            seen.withLock { $0 = (context.deadline, context.persistentMetadata) }
        }
        let innerClient = try RPCClient(to: inner.addresses[0], group: loops)
        let outer = try Fleet(1, loops: loops) { _, _, _ in
            var options = CallOptions()
            options.persistentMetadata = ["b": "own"]
            _ = try await Echo_EchoClient(innerClient).echo(
                .init(),
                timeout: .seconds(600),
                options: options
            )
        }
        let client = try RPCClient(to: outer.addresses[0], group: loops)
        var options = CallOptions()
        options.persistentMetadata = ["a": "1", "b": "2"]
        let end = Deadline.after(.seconds(20))
        _ = try await Echo_EchoClient(client).echo(.init(), timeout: .seconds(20), options: options)
        let (deadline, metadata) = try #require(seen.withLock { $0 })
        // Whole milliseconds travel, and each hop rounds up.
        #expect(deadline <= Deadline.now().advanced(by: .seconds(20)))
        #expect(deadline <= end.advanced(by: .seconds(5)))
        #expect(metadata == ["a": "1", "b": "own"])
        await client.close()
        await innerClient.close()
        for server in outer.servers { await server.shutdown() }
        await inner.stop()
    }

    @Test("cancellation ends a call in each phase", arguments: ["resolve", "back-off", "hedge"])
    func cancellation(phase: String) async throws {
        let clock = ManualClock()
        let loops = try EventLoopGroup(count: 1, options: clock.options)
        let count = Count()
        let fleet = try Fleet(1, loops: loops) { _, _, _ in
            count.add()
            if phase == "back-off" { throw RPCError(.unavailable, "no") }
            try await loops.loops[0].sleep(until: .distantFuture)
        }
        let resolver = ManualResolver()
        var options = RPCClientOptions()
        options.retryPolicy = phase == "hedge" ? .backup(after: .seconds(5)) : .failure()
        options.retryPolicy?.backOff.initial = .seconds(5)
        options.retryPolicy?.backOff.limit = .seconds(5)
        let client =
            phase == "resolve"
            ? try RPCClient(resolver: resolver, options: options, group: loops)
            : try RPCClient(to: fleet.addresses[0], options: options, group: loops)
        let call = Task { try await Echo_EchoClient(client).echo(.init()) }
        while phase == "resolve" ? !resolver.isRunning : count.now == 0 { await Task.yield() }
        call.cancel()
        let error = await #expect(throws: RPCError.self) { try await call.value }
        #expect(error?.code == .cancelled)
        await client.close()
        await loops.shutdown()
    }

    @Test(
        "a call that is cancelled at any moment ends once, and nothing of it is left",
        arguments: CallTests.modes
    )
    func anyMoment(mode: RPCClientOptions.Connections) async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let fleet = try Fleet(2, loops: try EventLoopGroup(count: 2)) { _, _, _ in
            await Task.yield()
        }
        var options = RPCClientOptions()
        options.connections = mode
        options.retryPolicy = .mixed(after: .zero)
        let client = try RPCClient(
            resolver: StaticResolver(fleet.addresses),
            options: options,
            group: fleet.loops
        )
        var outcomes: [String: Int] = [:]
        for _ in 0..<1000 {
            let call = Task { try await Echo_EchoClient(client).echo(.init()).msg }
            for _ in 0..<(random.next() % 20) { await Task.yield() }
            call.cancel()
            switch await call.result {
            case .success: outcomes["reply", default: 0] += 1
            case .failure(let error):
                outcomes["\((error as? RPCError)?.code as Any)", default: 0] += 1
            }
        }
        #expect(outcomes.values.reduce(0, +) == 1000)
        #expect(
            outcomes.keys.allSatisfy { $0 == "reply" || $0.contains("cancelled") },
            "\(outcomes)"
        )
        while client.endpoints.contains(where: { $0.inFlight > 0 }) { await Task.yield() }
        #expect(client.callCount == 0)
        await client.close()
        await fleet.stop()
    }

    @Test("close waits for the calls in flight and refuses new ones")
    func close() async throws {
        let loops = try EventLoopGroup(count: 2)
        let gate = Locked<[CheckedContinuation<Void, Never>]>([])
        let fleet = try Fleet(1, loops: loops) { _, _, _ in
            await withCheckedContinuation { continuation in
                gate.withLock { $0.append(continuation) }
            }
        }
        let client = try RPCClient(to: fleet.addresses[0], group: loops)
        let call = Task { try await Echo_EchoClient(client).echo(.init()).msg }
        while gate.withLock({ $0.isEmpty }) { await Task.yield() }
        let isClosed = Locked(false)
        let closing = Task {
            await client.close()
            isClosed.withLock { $0 = true }
        }
        while true {
            // Refused once the closing task has run.
            let probe = Task {
                try await Echo_EchoClient(client).echo(.init(), timeout: .milliseconds(1))
            }
            guard case .failure(let error) = await probe.result, let error = error as? RPCError
            else { continue }
            if error.code == .unavailable { break }
        }
        #expect(!isClosed.withLock { $0 })
        for continuation in gate.withLock({ $0 }) { continuation.resume() }
        #expect(try await call.value == "0")
        await closing.value
        #expect(client.callCount == 0)
        await fleet.stop()
    }

    @Test("interceptors run once around a call with its retries, the first outermost")
    func interceptors() async throws {
        struct Noting: ClientInterceptor {
            let name: String
            let log: Locked<[String]>.Box

            func intercept<Request: Message, Response: Message>(
                _ call: ClientCall<Request>,
                next: (ClientCall<Request>) async throws -> ClientReply<Response>
            ) async throws -> ClientReply<Response> {
                log.value.withLock { $0.append(name) }
                var call = call
                call.options.metadata[name] = "yes"
                let reply = try await next(call)
                log.value.withLock { $0.append("\(name) \(reply.metadata["back"] ?? "none")") }
                return reply
            }
        }
        let count = Count()
        let fleet = try Fleet(1, loops: try EventLoopGroup(count: 1)) { _, _, context in
            #expect(context.metadata == ["a": "yes", "b": "yes"])
            context.responseMetadata["back"] = "ward"
            if count.add() == 1 { throw RPCError(.unavailable, "again") }
        }
        let log = Locked<[String]>.Box([])
        var options = RPCClientOptions()
        options.retryPolicy = policy()
        let client = try RPCClient(
            to: fleet.addresses[0],
            interceptors: [Noting(name: "a", log: log), Noting(name: "b", log: log)],
            options: options,
            group: fleet.loops
        )
        #expect(try await Echo_EchoClient(client).echo(.init()).msg == "0")
        #expect(log.value.withLock { $0 } == ["a", "b", "b ward", "a ward"])
        #expect(count.now == 2)
        await client.close()
        await fleet.stop()
    }
}

extension Locked where Value: Sendable {
    /// Shares a locked value.
    final class Box: Sendable {
        let value: Locked<Value>
        init(_ value: Value) { self.value = Locked(value) }
    }
}
