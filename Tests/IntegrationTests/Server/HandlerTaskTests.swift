import NetpollCore
import NetpollProtobuf
import NetpollRPC
import NetpollTesting
import TestProtos
import TestSupport
import Testing

@Suite("Handlers share tasks", .timeLimit(.minutes(1)))
struct HandlerTaskTests {
    private func call(_ echo: Echo_EchoClient, _ name: String) async throws -> String {
        var options = CallOptions()
        options.metadata = ["call": name]
        return try await echo.echo(.with { $0.action = name }, options: options).msg
    }

    private static var currentName: String { RPCContext.current?.metadata["call"] ?? "none" }

    private static var taskID: Int { withUnsafeCurrentTask { $0.map(\.hashValue) ?? 0 } }

    @Test("calls that come one by one are served by one task, each with its own context")
    func reuse() async throws {
        let tasks = Locked<Set<Int>>([])
        let fixture = try HandlerFixture { _, context in
            tasks.withLock { _ = $0.insert(Self.taskID) }
            async let child = Self.currentName
            let names = [Self.currentName, await child, context.metadata["call"] ?? "none"]
            return names.joined(separator: " ")
        }
        let echo = try fixture.echo()
        for number in 0..<10 {
            #expect(try await call(echo, "\(number)") == "\(number) \(number) \(number)")
        }
        #expect(tasks.withLock { $0.count } == 1)
        await fixture.stop()
    }

    @Test("a task that a handler leaves behind keeps the context of its call")
    func leftBehind() async throws {
        let gate = Gate()
        let left = Locked<[Task<String, Never>]>([])
        let fixture = try HandlerFixture { request, _ in
            if request.action == "leave" {
                let task = Task {
                    await gate.wait()
                    return Self.currentName
                }
                left.withLock { $0.append(task) }
            }
            return Self.currentName
        }
        let echo = try fixture.echo()
        for name in ["leave", "second", "leave", "third"] {
            #expect(try await call(echo, name) == name)
        }
        gate.open()
        for task in left.withLock({ $0 }) { #expect(await task.value == "leave") }
        await fixture.stop()
    }

    @Test("a call after one that was cancelled does not find itself cancelled")
    func cancelled() async throws {
        let clock = ManualClock()
        let (gate, began) = (Gate(), Counter())
        let fixture = try HandlerFixture(clock: clock) { request, _ in
            guard request.action == "wait" else { return "\(Task.isCancelled)" }
            began.increment()
            try? await gate.waitOrCancel()
            return "\(Task.isCancelled)"
        }
        let echo = try fixture.echo()
        #expect(try await call(echo, "first") == "false")
        let late = Task {
            try await echo.echo(.with { $0.action = "wait" }, timeout: .seconds(1))
        }
        try await eventually("the call runs") { began.value == 1 }
        for loop in fixture.loops.loops { await loop.turn() }
        await clock.advance(by: .seconds(1))
        await #expect(throws: RPCError.self) { try await late.value }
        try await eventually("the handler has returned") { fixture.server.callCount == 0 }
        for _ in 0..<3 { #expect(try await call(echo, "next") == "false") }
        await fixture.finish(clock)
    }

    @Test("a task that waits for a call holds nothing of the last one")
    func released() async throws {
        let last = WeakContext()
        let fixture = try HandlerFixture { _, context in
            last.context = context
            return ""
        }
        let echo = try fixture.echo()
        _ = try await call(echo, "one")
        try await eventually("the context is gone") { last.context == nil }
        #expect(fixture.server.connectionCount == 1)
        await fixture.stop()
    }

    @Test("a call that has ended is let go of while others of its connection wait their turn")
    func backlog() async throws {
        let second = WeakContext()
        let fixture = try HandlerFixture { request, context in
            if request.msg.count == 2 { second.context = context }
            return second.context == nil ? "none" : "some"
        }
        let port = fixture.port
        let answers = try await blocking {
            let raw = try RawSocket(port: port)
            // They come together: the fourth waits while the third runs.
            try raw.send(try (1...4).flatMap { try Frames.echo($0, messageByteCount: Int($0)) })
            return try (1...4).map { _ in
                let answer = try raw.receiveAnswer()
                return try Echo_EchoResponse(serializedBytes: answer.body).msg
            }
        }
        #expect(answers == ["none", "some", "none", "none"])
        await fixture.stop()
    }

    @Test("many calls that wait at once each have a task, and all end")
    func many() async throws {
        let (gate, began) = (Gate(), Counter())
        let fixture = try HandlerFixture { request, _ in
            began.increment()
            await gate.wait()
            return Self.currentName
        }
        let echo = try fixture.echo()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<300 {
                group.addTask { try await call(echo, "\(number)") == "\(number)" }
            }
            try await eventually("all run") { began.value == 300 }
            gate.open()
            for try await isRight in group { #expect(isRight) }
        }
        await fixture.stop()
    }
}

private final class WeakContext: Sendable {
    private struct State { weak var context: RPCContext? }
    private let state = Locked(State())
    var context: RPCContext? {
        get { state.withLock { $0.context } }
        set { state.withLock { $0.context = newValue } }
    }
}
