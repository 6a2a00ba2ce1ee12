import Dispatch
import Glibc
import NetpollTesting
import TestSupport
import Testing

@testable import NetpollCore

/// Bytes that repeat in a pattern longer than any buffer, so that a lost or doubled piece shows.
private func pattern(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ ($0 >> 8) &* 7 &+ ($0 >> 16)) }
}

@Suite("Streams over slow and small sockets", .timeLimit(.minutes(2)))
struct StreamTests {
    @Test("a close right after a send loses no byte, however slowly the peer reads")
    func sendThenClose() async throws {
        let pair = try await RawPair()
        let sent = pattern(3 << 20)
        pair.connection.withOutput { $0.write(sent) }
        pair.connection.close()
        let raw = pair.raw
        let (received, end) = try await blocking {
            var received: [UInt8] = []
            while case let more = try raw.receive(upTo: 50_000), !more.isEmpty { received += more }
            return (received, try raw.receiveEnd())
        }
        #expect(received == sent)
        #expect(end == .finished)
        await pair.end()
    }

    @Test("a close with unread input does not destroy the last bytes by a reset")
    func closeWithUnreadInput() async throws {
        let pair = try await RawPair()
        let raw = pair.raw
        try await blocking { try raw.send(pattern(100_000)) }
        let sent = pattern(1 << 19)
        pair.connection.withOutput { $0.write(sent) }
        pair.connection.close()
        let received = try await blocking {
            try raw.send(pattern(10_000))
            let received = try raw.receive(count: sent.count)
            _ = try raw.receive(upTo: 1)
            return received
        }
        #expect(received == sent)
        await pair.end()
    }

    @Test("each side can end its direction first, and the other goes on")
    func halfClose() async throws {
        let pair = try await RawPair()
        let raw = pair.raw
        try await blocking {
            try raw.send([1, 2, 3])
            raw.finish()
        }
        #expect(Array(try await pair.connection.read(count: 3)) == [1, 2, 3])
        #expect(try await pair.connection.read() == nil as BufferSlice?)
        let late = pattern(1 << 20)
        try await pair.connection.write(late)
        pair.connection.closeOutput()
        #expect(try await blocking { try raw.receive(count: late.count + 1) } == late)

        let other = try await RawPair()
        let otherRaw = other.raw
        try await other.connection.write([4])
        other.connection.closeOutput()
        try await blocking {
            #expect(try otherRaw.receive(count: 2) == [4])
            try otherRaw.send(late)
            otherRaw.finish()
        }
        let read = try await other.connection.read(
            count: late.count,
            deadline: .after(.seconds(20))
        )
        #expect(Array(read) == late)
        #expect(try await other.connection.read() == nil as BufferSlice?)
        await pair.end()
        await other.end()
    }

    // Row B15.
    @Test(
        "64 MiB through small kernel buffers, and less through tiny ones, arrive identical both ways",
        arguments: [(Int32(1 << 16), 64), (4096, 1)]
    )
    func smallBuffers(byteCount: Int32, megabytes: Int) async throws {
        let pair = try await RawPair { $0.setSendBuffer(byteCount) }
        var byteCount = byteCount
        guard case .socket(let fileDescriptor) = pair.connection.io else {
            Issue.record("a dialled connection has a socket")
            return
        }
        setsockopt(
            fileDescriptor,
            SOL_SOCKET,
            SO_SNDBUF,
            &byteCount,
            socklen_t(MemoryLayout<Int32>.size)
        )
        let chunk = pattern(1 << 20)
        let raw = pair.raw
        let connection = pair.connection
        let slice = BufferSlice(copying: chunk)
        let echo = Task {
            try await blocking {
                for _ in 0..<megabytes {
                    guard try raw.receive(count: chunk.count) == chunk else { return false }
                }
                for _ in 0..<megabytes { try raw.send(chunk) }
                return true
            }
        }
        for _ in 0..<megabytes { try await connection.write(slice) }
        var isSame = true
        for _ in 0..<megabytes {
            let read = try await connection.read(count: chunk.count, deadline: .after(.seconds(60)))
            isSame = isSame && read.withUnsafeBytes { $0.elementsEqual(chunk) }
        }
        #expect(isSame)
        #expect(try await echo.value)
        await pair.end()
    }

    @Test(
        "more segments than one system call takes leave at once on the writer's own thread",
        arguments: [33, 64, 65, 200, 1100]
    )
    func manySegments(count: Int) async throws {
        let pair = try await RawPair()
        let connection = pair.connection
        // The loop is held: what leaves now leaves without its help.
        let gate = DispatchSemaphore(value: 0)
        connection.loop.execute { gate.wait() }
        defer { gate.signal() }
        let segments = (0..<count).map {
            [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: 9)
        }
        let raw = pair.raw
        let received = try await blocking {
            connection.withOutput { output in
                for segment in segments { output.append(BufferSlice(copying: segment)) }
            }
            return try raw.receive(count: count * 9)
        }
        #expect(received == Array(segments.joined()))
        #expect(connection.outputByteCount == 0)
        gate.signal()
        await pair.end()
    }

    @Test("a reader that stalls while 500 MB are pushed holds no more than the read mark")
    func stalledReader() async throws {
        let pair = try await RawPair()
        let raw = pair.raw
        let connection = pair.connection
        let goal = 500_000_000
        let chunk = [UInt8](repeating: 9, count: 1 << 20)
        // Pushes until the kernel has taken nothing for half a second.
        let pushed = try await blocking {
            var pushed = 0
            while pushed < goal, raw.awaitWritable(milliseconds: 500) {
                pushed += try raw.sendWithoutWaiting(chunk)
            }
            return pushed
        }
        #expect(pushed < goal)
        let options = connection.options
        let held = await connection.loop.call { connection.input.byteCount }
        #expect(held >= options.readHighWaterMark)
        #expect(held <= options.readHighWaterMark + options.readSizeLimit)
        raw.finish()
        var count = 0
        while let slice = try await connection.read(upTo: 1 << 20, deadline: .after(.seconds(30))) {
            count += slice.count
        }
        #expect(count == pushed)
        await pair.end()
    }
}
