import NetpollCore
import Synchronization
import Testing

@Suite("EventLoop", .timeLimit(.minutes(1)))
struct EventLoopTests {
    @Test("work from many threads runs once each, on the loop")
    func execute() async throws {
        let group = try EventLoopGroup(count: 1)
        let loop = group.loops[0]
        let count = CountingLatch(10_000)
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<10 {
                tasks.addTask {
                    for _ in 0..<1000 { loop.execute { if loop.isCurrent { count.hit() } } }
                }
            }
        }
        await count.reached()
        await group.shutdown()
    }

    @Test("a task that prefers a loop runs there, before and after it waits")
    func executor() async throws {
        let group = try EventLoopGroup(count: 2)
        for loop in group.loops {
            let onLoop = try await Task(executorPreference: loop) {
                let before = loop.isCurrent
                try await loop.sleep(until: .after(.milliseconds(2)))
                return before && loop.isCurrent
            }.value
            #expect(onLoop)
        }
        await group.shutdown()
    }

    @Test("sleeping ends at its deadline or when the task is cancelled")
    func sleep() async throws {
        let group = try EventLoopGroup(count: 1)
        let loop = group.loops[0]
        let start = Deadline.now()
        try await loop.sleep(until: start.advanced(by: .milliseconds(20)))
        #expect(Deadline.now() >= start.advanced(by: .milliseconds(20)))
        let task = Task { try await loop.sleep(until: .distantFuture) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        await group.shutdown()
    }

    @Test("a loop that has ended refuses work, and tasks that prefer it still finish")
    func shutdown() async throws {
        let group = try EventLoopGroup(count: 1)
        await group.shutdown()
        await group.shutdown()
        #expect(!group.loops[0].execute {})
        #expect(await Task(executorPreference: group.loops[0]) { 42 }.value == 42)
    }
}

/// A value that the tasks of a test share.
final class Shared<Value: Sendable>: Sendable {
    private let locked: Locked<Value>

    init(_ value: Value) { locked = Locked(value) }

    var value: Value { locked.withLock { $0 } }

    func update(_ body: @Sendable (inout Value) -> Void) { locked.withLock { body(&$0) } }
}

/// Lets a test wait until something has happened so many times.
final class CountingLatch: Sendable {
    private let state: Locked<(left: Int, waiter: CheckedContinuation<Void, Never>?)>

    init(_ count: Int) { state = Locked((count, nil)) }

    func hit() {
        let waiter = state.withLock { state in
            state.left -= 1
            return state.left == 0 ? state.waiter.take() : nil
        }
        waiter?.resume()
    }

    func reached() async {
        await withCheckedContinuation { continuation in
            let isReached = state.withLock { state in
                if state.left > 0 { state.waiter = continuation }
                return state.left <= 0
            }
            if isReached { continuation.resume() }
        }
    }
}
