import CNetpoll
import Glibc
import NetpollTesting
import Synchronization
import Testing

@testable import NetpollCore

@Suite("Taking over a stuck loop", .timeLimit(.minutes(1)))
struct TakeOverTests {
    /// Holds the thread until a flag is set, as a handler does that blocks.
    private static func block(until flag: borrowing Atomic<Bool>) {
        while !flag.load(ordering: .acquiring) { usleep(100) }
    }

    private final class Flag: Sendable { let value = Atomic<Bool>(false) }
    private final class Number: Sendable { let value = Atomic<Int32>(0) }

    @Test(
        "a job that holds the thread until another job of its loop has run does not wait for ever"
    )
    func takeOver() async throws {
        let group = try EventLoopGroup(count: 1)
        let loop = group.loops[0]
        for _ in 0..<20 {
            let isFree = Flag()
            let blocked = Task(executorPreference: loop) { Self.block(until: isFree.value) }
            let other = Task(executorPreference: loop) {
                isFree.value.store(true, ordering: .releasing)
            }
            await other.value
            await blocked.value
        }
        #expect(group.statistics.takeOvers > 0)
        #expect(group.statistics.threadCount > 1)
        await group.shutdown()
    }

    @Test("a job that computes loses its loop as one does that waits")
    func computing() async throws {
        let group = try EventLoopGroup(count: 1)
        let loop = group.loops[0]
        let isFree = Flag()
        let busy = Task(executorPreference: loop) {
            while !isFree.value.load(ordering: .acquiring) {}
        }
        await Task(executorPreference: loop) {
            isFree.value.store(true, ordering: .releasing)
        }.value
        await busy.value
        await group.shutdown()
    }

    @Test("a thread that waits is told from one that wants a processor")
    func threadActivity() throws {
        let (id, step) = (Number(), Number())
        try SystemThread.start {
            id.value.store(cnetpoll_thread_id(), ordering: .releasing)
            while step.value.load(ordering: .acquiring) == 0 {}
            while step.value.load(ordering: .acquiring) == 1 { usleep(1_000_000) }
        }
        while id.value.load(ordering: .acquiring) == 0 { usleep(100) }
        let thread = id.value.load(ordering: .relaxed)
        #expect(cnetpoll_thread_is_runnable(thread) != 0)
        let before = cnetpoll_thread_cpu_time(thread)
        while cnetpoll_thread_cpu_time(thread) < before + 1_000_000 { usleep(100) }
        step.value.store(1, ordering: .releasing)
        while cnetpoll_thread_is_runnable(thread) != 0 { usleep(100) }
        step.value.store(2, ordering: .releasing)
        // Above what the kernel hands out.
        #expect(cnetpoll_thread_is_runnable(1 << 23) == 0)
        #expect(cnetpoll_thread_cpu_time(1 << 23) == 0)
    }

    @Test("timers, connections and closures of a loop go on while a job of it is stuck")
    func everything() async throws {
        let group = try EventLoopGroup(count: 1)
        let loop = group.loops[0]
        let isFree = Flag()
        let blocked = Task(executorPreference: loop) {
            Self.block(until: isFree.value)
            // The thread has lost the loop by now; what it asks of it still happens, there.
            return await withUnsafeContinuation { (continuation: UnsafeContinuation<Bool, Never>) in
                loop.execute { continuation.resume(returning: loop.isCurrent) }
            }
        }
        let listener = try Listener(on: .tcp(host: "127.0.0.1", port: 0), group: group) {
            _ in Echo()
        }
        let connection = try await Dialer(group: group).dial(listener.localAddress)
        try await connection.write([1, 2, 3])
        #expect(Array(try await connection.read(count: 3)) == [1, 2, 3])
        try await loop.sleep(until: .after(.milliseconds(1)))
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            loop.execute { continuation.resume() }
        }
        isFree.value.store(true, ordering: .releasing)
        #expect(await blocked.value)
        await listener.close()
        await group.shutdown()
    }

    @Test("at the bound of threads a loop waits for its job")
    func bound() async throws {
        var options = EventLoopGroupOptions()
        options.threadLimit = 2
        let group = try EventLoopGroup(count: 1, options: options)
        let loop = group.loops[0]
        let isFree = Flag()
        let first = Task(executorPreference: loop) { Self.block(until: isFree.value) }
        let reached = Flag()
        let second = Task(executorPreference: loop) {
            reached.value.store(true, ordering: .releasing)
            Self.block(until: isFree.value)
        }
        while !reached.value.load(ordering: .acquiring) { await Task.yield() }
        #expect(group.statistics.takeOvers == 1 && group.statistics.threadCount == 2)
        isFree.value.store(true, ordering: .releasing)
        await first.value
        await second.value
        #expect(group.statistics.threadCount == 2)
        await group.shutdown()
    }

    @Test("without a threshold a loop keeps its thread")
    func disabled() async throws {
        var options = EventLoopGroupOptions()
        options.takeOverThreshold = nil
        let group = try EventLoopGroup(count: 1, options: options)
        await Task(executorPreference: group.loops[0]) { _ = usleep(5000) }.value
        #expect(group.statistics.takeOvers == 0 && group.statistics.threadCount == 1)
        await group.shutdown()
    }

    @Test("jobs that are stuck now and then lose no work, no timer and no byte")
    func storm() async throws {
        let group = try EventLoopGroup(count: 2)
        let listener = try Listener(on: .tcp(host: "127.0.0.1", port: 0), group: group) {
            _ in Echo()
        }
        let address = listener.localAddress
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for number in 0..<16 {
                let loop = group.loops[number % 2]
                tasks.addTask(executorPreference: loop) {
                    var random = SeededGenerator(seed: UInt64(number))
                    let connection = try await Dialer(group: group).dial(address)
                    for round in 0..<50 {
                        let bytes = [UInt8](repeating: UInt8(number), count: 1 + round * 17)
                        try await connection.write(bytes)
                        if UInt8.random(in: 0..<16, using: &random) == 0 { usleep(5000) }
                        #expect(Array(try await connection.read(count: bytes.count)) == bytes)
                        if UInt8.random(in: 0..<8, using: &random) == 0 {
                            try await loop.sleep(until: .after(.microseconds(100)))
                        }
                    }
                    connection.close()
                }
            }
            try await tasks.waitForAll()
        }
        #expect(group.statistics.takeOvers > 0)
        await listener.close()
        await group.shutdown()
    }

    private final class Echo: ConnectionHandler {
        func connection(_ connection: Connection, didReceive input: inout LinkBuffer) -> Int {
            let bytes = input.takeAll()
            var echoed = bytes
            connection.withOutput { $0.append(echoed.takeAll()) }
            return 0
        }
        func connectionDidReachEnd(_ connection: Connection) { connection.close() }
        func connection(_ connection: Connection, didCloseWith error: NetpollError?) {}
    }
}
