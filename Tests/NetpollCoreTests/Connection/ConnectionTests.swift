import NetpollTesting
import Synchronization
import Testing

@testable import NetpollCore

/// Sends back whatever arrives, without copying it.
final class Echo: ConnectionHandler {
    func connection(_ connection: Connection, didReceive input: inout LinkBuffer) -> Int {
        var bytes = input.takeAll()
        connection.withOutput { $0.append(bytes.takeAll()) }
        return 0
    }
    func connectionDidReachEnd(_ connection: Connection) { connection.close() }
    func connection(_ connection: Connection, didCloseWith error: NetpollError?) {}
}

extension SocketAddress {
    private static let number = Atomic<Int>(0)

    /// The address, with a name of its own if it is a Unix socket, because tests run side by side.
    var unique: SocketAddress {
        guard case .unix(let path) = self else { return self }
        return .unix(path: "\(path)-\(Self.number.wrappingAdd(1, ordering: .relaxed).newValue)")
    }
}

/// Two connected ends without handlers, and what they need to live.
struct ConnectionPair {
    let group: EventLoopGroup
    let listener: Listener
    let client: Connection
    let server: Connection

    init(
        on address: SocketAddress = .tcp(host: "127.0.0.1", port: 0),
        options: ConnectionOptions = ConnectionOptions()
    ) async throws {
        let group = try EventLoopGroup(count: 2)
        let accepted = Waiter<Connection>()
        var listenerOptions = ListenerOptions()
        listenerOptions.connection = options
        let listener = try Listener(on: address.unique, group: group, options: listenerOptions) {
            connection in
            accepted.finish(.success(connection))
            return nil
        }
        client = try await Dialer(group: group, options: options).dial(listener.localAddress)
        server = try await accepted.wait(begin: {}, onCancel: {})
        self.group = group
        self.listener = listener
    }

    func end() async {
        client.abort()
        server.abort()
        await listener.close()
        await group.shutdown()
    }
}

/// Yields until something is true, or fails after a generous time.
func eventually(_ what: String, _ condition: () -> Bool) async throws {
    let end = Deadline.after(.seconds(30))
    while !condition() {
        try #require(Deadline.now() < end, "never happened: \(what)")
        await Task.yield()
    }
}

@Suite("Connection", .timeLimit(.minutes(2)))
struct ConnectionTests {
    static let addresses = [
        SocketAddress.tcp(host: "127.0.0.1", port: 0), .unix(path: "@netpoll-connection-tests"),
        .tcp(host: "localhost", port: 0),
    ]

    @Test("a peer gets its bytes back", arguments: addresses)
    func echo(address: SocketAddress) async throws {
        let group = try EventLoopGroup(count: 2)
        let listener = try Listener(on: address.unique, group: group) { _ in Echo() }
        let connection = try await Dialer(group: group).dial(listener.localAddress)
        #expect(connection.isActive)
        let sent = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try await connection.write(sent)
        let received = try await connection.read(count: sent.count, deadline: .after(.seconds(30)))
        #expect(Array(received) == sent)
        await listener.close()
        connection.close()
        await group.shutdown()
    }

    @Test(
        "what was sent before a close arrives whole, then the end",
        arguments: addresses.dropLast()
    )
    func sendThenClose(address: SocketAddress) async throws {
        let pair = try await ConnectionPair(on: address)
        let block = [UInt8](repeating: 7, count: 100_000)
        for _ in 0..<20 { pair.client.withOutput { $0.write(block) } }
        pair.client.close()
        var count = 0
        while let slice = try await pair.server.read(deadline: .after(.seconds(30))) {
            count += slice.count
        }
        #expect(count == 2_000_000)
        await pair.end()
    }

    @Test("each side can end its direction and still read")
    func halfClose() async throws {
        let pair = try await ConnectionPair()
        try await pair.client.write([1, 2])
        pair.client.closeOutput()
        #expect(Array(try await pair.server.read(count: 2)) == [1, 2])
        #expect(try await pair.server.read() == nil as BufferSlice?)
        try await pair.server.write([3])
        #expect(Array(try await pair.client.read(count: 1)) == [3])
        await #expect(throws: NetpollError.self) { try await pair.client.write([4]) }
        await pair.end()
    }

    @Test(
        "a connection turns inactive when its peer closes, though nobody reads",
        arguments: addresses.dropLast()
    )
    func inactivity(address: SocketAddress) async throws {
        let pair = try await ConnectionPair(on: address)
        try await pair.server.write([1])
        pair.server.close()
        try await eventually("the client is inactive") { !pair.client.isActive }
        #expect(Array(try await pair.client.read(count: 1)) == [1])
        await pair.end()
    }

    @Test(
        "a read ends at its deadline, at cancellation and at the end of the stream, and loses no bytes"
    )
    func reading() async throws {
        let pair = try await ConnectionPair()
        try await pair.server.write([1])
        let late = await #expect(throws: NetpollError.self) {
            try await pair.client.read(count: 2, deadline: .after(.milliseconds(10)))
        }
        #expect(late?.code == .timedOut)
        let task = Task { try await pair.client.read(count: 2) }
        task.cancel()
        let cancelled = await #expect(throws: NetpollError.self) { try await task.value }
        #expect(cancelled?.code == .cancelled)
        pair.server.close()
        let short = await #expect(throws: NetpollError.self) {
            try await pair.client.read(count: 2)
        }
        #expect(short?.code == .endOfStream)
        #expect(Array(try await pair.client.read(count: 1)) == [1])
        await pair.end()
    }

    @Test("a peer that does not read holds writers back, and unread bytes stay under the mark")
    func backPressure() async throws {
        var options = ConnectionOptions()
        options.writeHighWaterMark = 1 << 16
        options.readHighWaterMark = 1 << 16
        let pair = try await ConnectionPair(options: options)
        let block = [UInt8](repeating: 1, count: 1 << 14)
        let writer = Task {
            for _ in 0..<4096 { try await pair.client.write(block) }
            try await pair.client.flush()
        }
        // 64 MiB do not fit anywhere, so the writer must come to a stop.
        try await eventually("the writer waits") { pair.client.outputByteCount >= 1 << 16 }
        #expect(pair.client.outputByteCount <= 1 << 16 + 1 << 14)
        let held = await withCheckedContinuation { continuation in
            pair.server.loop.execute { continuation.resume(returning: pair.server.input.byteCount) }
        }
        #expect(held <= (1 << 16) + options.readSizeLimit)
        var count = 0
        while count < 1 << 26 {
            count += try #require(
                try await pair.server.read(upTo: 1 << 20, deadline: .after(.seconds(60)))
            ).count
        }
        try await writer.value
        #expect(count == 1 << 26)
        await pair.end()
    }

    @Test("bytes of concurrent writers never mix")
    func concurrentWriters() async throws {
        let pair = try await ConnectionPair()
        let writers = 16
        let each = 200
        await withTaskGroup(of: Void.self) { tasks in
            for writer in 0..<writers {
                tasks.addTask {
                    for _ in 0..<each {
                        try? await pair.client.write([UInt8](repeating: UInt8(writer), count: 100))
                    }
                }
            }
        }
        var counts = [Int](repeating: 0, count: writers)
        for _ in 0..<(writers * each) {
            let record = Array(
                try await pair.server.read(count: 100, deadline: .after(.seconds(30)))
            )
            #expect(Set(record).count == 1)
            counts[Int(record[0])] += 1
        }
        #expect(counts.allSatisfy { $0 == each })
        await pair.end()
    }

    @Test("many connections that both sides close at once end, and each end is told once")
    func closeStorm() async throws {
        let group = try EventLoopGroup(count: 2)
        let closed = Atomic<Int>(0)
        let listener = try Listener(on: .unix(path: "@netpoll-storm-tests"), group: group) { _ in
            Echo()
        }
        let rounds = 300
        for round in 0..<rounds {
            let connection = try await Dialer(group: group).dial(listener.localAddress)
            connection.onClose { closed.wrappingAdd(1, ordering: .relaxed) }
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try? await connection.write([1, 2, 3]) }
                tasks.addTask { _ = try? await connection.read() }
                tasks.addTask { round % 2 == 0 ? connection.close() : connection.abort() }
                tasks.addTask { connection.closeOutput() }
            }
            connection.abort()
        }
        try await eventually("all have closed") {
            closed.load(ordering: .relaxed) == rounds && listener.connectionCount == 0
        }
        await listener.close()
        await group.shutdown()
    }

    @Test("a handler may close its connection from inside a call")
    func closeInsideHandler() async throws {
        let group = try EventLoopGroup(count: 1)
        let listener = try Listener(on: .unix(path: "@netpoll-inside-tests"), group: group) { _ in
            Closer()
        }
        for _ in 0..<3 {
            let connection = try await Dialer(group: group).dial(listener.localAddress)
            try await connection.write([1])
            // How it ends depends on who is faster; that it ends is what counts.
            while let slice = try? await connection.read(deadline: .after(.seconds(30))) {
                _ = slice
            }
            connection.abort()
        }
        await listener.close()
        await group.shutdown()
    }
}

/// Ends the connection while it is being read, in each way in turn.
private final class Closer: ConnectionHandler {
    private static let turn = Atomic<Int>(0)

    func connection(_ connection: Connection, didReceive input: inout LinkBuffer) -> Int {
        switch Self.turn.wrappingAdd(1, ordering: .relaxed).oldValue % 3 {
        case 0: connection.close()
        case 1: connection.abort()
        default:
            connection.pauseReading()
            connection.close()
        }
        return 1 << 20
    }
    func connectionDidReachEnd(_ connection: Connection) { connection.close() }
    func connection(_ connection: Connection, didCloseWith error: NetpollError?) {}
}
