import Glibc
import NetpollCore
import NetpollTesting
import Synchronization
import Testing

@Suite("WorkerPool", .timeLimit(.minutes(1)))
struct WorkerPoolTests {
    private final class Gate: Sendable {
        let isOpen = Atomic<Bool>(false)
        let entered = Atomic<Int>(0)

        /// Holds the thread, as work does that blocks.
        func pass() {
            entered.add(1, ordering: .relaxed)
            while !isOpen.load(ordering: .acquiring) { usleep(100) }
        }
    }

    @Test(
        "work that blocks uses no more threads than allowed; what waits beyond the bound is refused"
    )
    func bounds() async throws {
        var options = WorkerPoolOptions()
        options.threadLimit = 2
        options.queueLimit = 3
        let pool = WorkerPool(options: options)
        let gate = Gate()
        let refused = try await withThrowingTaskGroup(of: Bool.self) { tasks in
            func add() {
                tasks.addTask {
                    do {
                        try await pool.run { gate.pass() }
                        return false
                    } catch let error as NetpollError where error.code == .limitExceeded {
                        return true
                    }
                }
            }
            for count in 1...2 {
                add()
                while gate.entered.load(ordering: .relaxed) < count { await Task.yield() }
            }
            for count in 1...3 {
                add()
                while pool.statistics.queuedCount < count { await Task.yield() }
            }
            #expect(pool.statistics.threadCount == 2)
            add()
            #expect(try await tasks.next() == true)
            gate.isOpen.store(true, ordering: .releasing)
            return try await tasks.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(refused == 0)
        await pool.shutdown()
        #expect(pool.statistics.threadCount == 0)
        let error = await #expect(throws: NetpollError.self) { try await pool.run {} }
        #expect(error?.code == .shutdown)
    }

    @Test("tasks that the pool starts keep to the queue's bound, and a shutdown waits for them")
    func startedTasks() async throws {
        var options = WorkerPoolOptions()
        options.threadLimit = 1
        options.queueLimit = 2
        let pool = WorkerPool(options: options)
        let gate = Gate()
        let ended = Locked(0)
        let work: @Sendable () async -> Void = {
            gate.pass()
            ended.withLock { $0 += 1 }
        }
        _ = try pool.start(work)
        while gate.entered.load(ordering: .relaxed) < 1 { await Task.yield() }
        for _ in 0..<2 { _ = try pool.start(work) }
        #expect(throws: NetpollError.self) { try pool.start(work) }
        let shutdown = Task { await pool.shutdown() }
        gate.isOpen.store(true, ordering: .releasing)
        await shutdown.value
        #expect(ended.withLock { $0 } == 3)
        #expect(pool.statistics.threadCount == 0)
        let error = #expect(throws: NetpollError.self) { try pool.start(work) }
        #expect(error?.code == .shutdown)
    }

    @Test("results and errors come back, and one failure disturbs nobody")
    func results() async throws {
        struct Failure: Error, Equatable { let number: Int }
        let pool = WorkerPool()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for number in 0..<500 {
                tasks.addTask {
                    if number % 7 == 0 {
                        await #expect(throws: Failure(number: number)) {
                            try await pool.run { throw Failure(number: number) }
                        }
                    } else {
                        let result = try await pool.run { () async in
                            await Task.yield()
                            return number
                        }
                        #expect(result == number)
                    }
                }
            }
            try await tasks.waitForAll()
        }
        await pool.shutdown()
    }

    @Test("a shutdown waits for work that is suspended, however many ask for it")
    func shutdownWaits() async throws {
        let pool = WorkerPool()
        let begun = CountingLatch(1)
        let gate = CountingLatch(1)
        let isDone = Shared(false)
        let work = Task {
            try await pool.run {
                begun.hit()
                await gate.reached()
                isDone.update { $0 = true }
            }
        }
        await begun.reached()
        await withTaskGroup(of: Bool.self) { tasks in
            for _ in 0..<5 {
                tasks.addTask {
                    await pool.shutdown()
                    return isDone.value
                }
            }
            while (try? await pool.run {}) != nil { await Task.yield() }
            gate.hit()
            for await isAfterWork in tasks { #expect(isAfterWork) }
        }
        try await work.value
        #expect(pool.statistics.threadCount == 0)
        await pool.shutdown()
    }

    @Test("cancelling the caller cancels the work")
    func cancellation() async throws {
        let pool = WorkerPool()
        let begun = CountingLatch(1)
        let task = Task {
            try await pool.run {
                begun.hit()
                while !Task.isCancelled { await Task.yield() }
                try Task.checkCancellation()
            }
        }
        await begun.reached()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        await pool.shutdown()
    }
}
