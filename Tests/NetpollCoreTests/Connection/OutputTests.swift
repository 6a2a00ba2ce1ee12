import Glibc
import NetpollTesting
import Testing

@testable import NetpollCore

@Suite("The write side of a connection", .timeLimit(.minutes(1)))
struct OutputTests {
    @Test("many writers that wait get their turns in order, and never exceed the mark together")
    func manyWriters() async throws {
        let group = try EventLoopGroup(count: 2)
        let pair = ConnectedPair(group: group)
        pair.second.pauseReading()
        let size = 200 << 10
        let writerCount = 60
        let most = Shared(0)
        let mark = pair.first.options.writeHighWaterMark
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for number in 0..<writerCount {
                let bytes = [UInt8](repeating: UInt8(number), count: size)
                tasks.addTask {
                    try await pair.first.write(bytes)
                    let queued = pair.first.outputByteCount
                    most.update { $0 = max($0, queued) }
                }
            }
            tasks.addTask {
                pair.second.resumeReading()
                for _ in 0..<writerCount {
                    let slice = try await pair.second.read(count: size)
                    let isWhole = slice.withUnsafeBytes { bytes in
                        bytes.allSatisfy { $0 == bytes.first }
                    }
                    #expect(isWhole, "two writers mixed their bytes")
                }
            }
            try await tasks.waitForAll()
        }
        #expect(most.value < mark + size)
        await group.shutdown()
    }

    @Test("a handler that pauses above the mark is told when all has been sent")
    func handlerAboveMark() async throws {
        let group = try EventLoopGroup(count: 1)
        var options = ListenerOptions()
        options.connection.writeHighWaterMark = 1024
        let listener = try Listener(
            on: .unix(path: "@netpoll-above-mark-tests"),
            group: group,
            options: options
        ) { _ in PausingEcho() }
        let connection = try await Dialer(group: group).dial(listener.localAddress)
        for number: UInt8 in 0..<3 {
            let bytes = [UInt8](repeating: number, count: 4096)
            try await connection.write(bytes)
            let echo = try await connection.read(count: 4096, deadline: .after(.seconds(30)))
            #expect(Array(echo) == bytes)
        }
        connection.close()
        await listener.close()
        await group.shutdown()
    }

    @Test("whoever exceeds the mark is seen to, until all of it has been sent")
    func excess() async throws {
        let group = try EventLoopGroup(count: 2)
        let pair = ConnectedPair(group: group)
        pair.second.pauseReading()
        await pair.second.loop.turn()
        let mark = pair.first.options.writeHighWaterMark
        let pipe = [UInt8](repeating: 0, count: 256 << 10)
        try await pair.first.write(pipe)
        try await pair.first.write([UInt8](repeating: 0, count: mark))
        #expect(!pair.first.hasExcessOutput)
        pair.first.withOutput { $0.write(1 as UInt8) }
        #expect(pair.first.hasExcessOutput)
        pair.second.resumeReading()
        _ = try await pair.second.read(count: pipe.count)
        _ = try await pair.second.read(count: mark + 1)
        try await pair.first.flush()
        #expect(!pair.first.hasExcessOutput)
        await group.shutdown()
    }

    @Test("a writer that gives up while it waits leaves its place to the next")
    func abandonedPlace() async throws {
        let group = try EventLoopGroup(count: 1)
        let pair = ConnectedPair(group: group)
        pair.second.pauseReading()
        await pair.second.loop.turn()
        try await pair.first.write([UInt8](repeating: 0, count: 3 << 20))
        let waiting = (0..<20).map { number in
            Task { try await pair.first.write([UInt8](repeating: UInt8(number), count: 1 << 20)) }
        }
        for task in waiting.dropLast() { task.cancel() }
        for task in waiting.dropLast() {
            let error = await #expect(throws: NetpollError.self) { try await task.value }
            #expect(error?.code == .cancelled)
        }
        pair.second.resumeReading()
        _ = try await pair.second.read(count: 3 << 20)
        try await waiting[19].value
        #expect(try await pair.second.read(count: 1 << 20).count == 1 << 20)
        try await pair.first.write([1])
        #expect(pair.first.outputByteCount <= 1)
        await group.shutdown()
    }

    @Test("flushing waits for what was written before it, not for what others go on writing")
    func flushAmongWriters() async throws {
        let group = try EventLoopGroup(count: 2)
        let pair = ConnectedPair(group: group)
        let isOver = Shared(false)
        let writer = Task {
            while !isOver.value {
                try await pair.first.write([UInt8](repeating: 1, count: 64 << 10))
            }
        }
        let reader = Task { while try await pair.second.read() != nil {} }
        for _ in 0..<20 {
            try await pair.first.write([2])
            try await pair.first.flush(deadline: .after(.seconds(20)))
        }
        isOver.update { $0 = true }
        try await writer.value
        pair.first.close()
        try? await reader.value
        await group.shutdown()
    }

    @Test("after bytes were lost nothing more is accepted, and the true error is told")
    func noGap() async throws {
        let script = ScriptedFaults(writes: [.short(100), .fail(ENOBUFS)])
        let group = try EventLoopGroup(count: 1, options: script.options)
        let pair = ConnectedPair(group: group)
        let told = Waiter<NetpollError?>()
        final class Told: ConnectionHandler {
            let waiter: Waiter<NetpollError?>
            init(_ waiter: Waiter<NetpollError?>) { self.waiter = waiter }
            func connection(_ connection: Connection, didReceive input: inout LinkBuffer) -> Int {
                0
            }
            func connectionDidReachEnd(_ connection: Connection) {}
            func connection(_ connection: Connection, didCloseWith error: NetpollError?) {
                waiter.finish(.success(error))
            }
        }
        pair.first.setHandler(Told(told))
        // The loop is kept from learning of the failure, so another writer comes first.
        let accepted = await pair.first.loop.call {
            pair.first.withOutput { $0.write([UInt8](repeating: 1, count: 200)) }
            pair.first.flushOutput()
            return pair.first.output.withLock { $0.queue(mark: .max) { $0.write([2]) } }
        }
        #expect(!accepted)
        let flush = await #expect(throws: NetpollError.self) { try await pair.first.flush() }
        #expect(flush?.errorNumber == ENOBUFS)
        let error = try await told.wait(begin: {}, onCancel: {})
        #expect(error?.errorNumber == ENOBUFS)
        let arrived = try await pair.second.read()
        #expect(arrived?.count == 100)
        await group.shutdown()
    }

    @Test("what a failed write leaves behind is let go of without the lock")
    func droppedOutsideLock() async throws {
        /// Has the first write fail after more has been queued.
        final class Failing: SystemCallFaults {
            let queueMore = Locked<(@Sendable () -> Void)?>(nil)
            func fault(for call: SystemCall, on fileDescriptor: Int32) -> SystemCallFault? {
                guard call == .write else { return nil }
                queueMore.withLock { $0.take() }?()
                return .failure(EPIPE)
            }
        }
        let faults = Failing()
        var options = EventLoopGroupOptions()
        options.faults = faults
        let group = try EventLoopGroup(count: 1, options: options)
        let pair = ConnectedPair(group: group)
        let connection = pair.first
        let freed = Waiter<Int>()
        faults.queueMore.withLock { more in
            more = {
                connection.withOutput { output in
                    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 9, alignment: 1)
                    output.append(
                        BufferSlice(owning: memory) { memory in
                            // Would never return under the lock.
                            freed.finish(.success(connection.outputByteCount))
                            memory.deallocate()
                        }
                    )
                }
            }
        }
        connection.withOutput { $0.write([1]) }
        #expect(try await freed.wait(begin: {}, onCancel: {}) == 0)
        await group.shutdown()
    }
}

/// Sends every byte back, and reads no more while too many wait to be sent.
private final class PausingEcho: ConnectionHandler {
    func connection(_ connection: Connection, didReceive input: inout LinkBuffer) -> Int {
        var bytes = input.takeAll()
        connection.withOutput { $0.append(bytes.takeAll()) }
        if connection.outputByteCount > connection.options.writeHighWaterMark {
            connection.pauseReading()
        }
        return 0
    }
    func connectionDidDrainOutput(_ connection: Connection) { connection.resumeReading() }
    func connectionDidReachEnd(_ connection: Connection) { connection.close() }
    func connection(_ connection: Connection, didCloseWith error: NetpollError?) {}
}
