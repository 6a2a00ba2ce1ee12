import Glibc
import NetpollTesting
import TestSupport
import Testing

@testable import NetpollCore

@Suite("Addresses that cannot be reached, and limits on who may come", .timeLimit(.minutes(2)))
struct RefusedTests {
    // Row B6.
    @Test("a port that nobody listens on is refused at once")
    func refused() async throws {
        let listener = try RawListener()
        listener.close()
        let group = try EventLoopGroup(count: 1)
        let dialer = Dialer(group: group, connectTimeout: .seconds(20))
        let start = Deadline.now()
        let error = await #expect(throws: NetpollError.self) {
            try await dialer.dial(.tcp(host: "127.0.0.1", port: listener.port))
        }
        #expect(error?.code == .connectionRefused)
        #expect(error?.errorNumber == ECONNREFUSED)
        #expect(start.advanced(by: .seconds(1)) > .now())
        await group.shutdown()
    }

    @Test("a listener whose backlog is full lets a dial end at its timeout, and not later")
    func fullBacklog() async throws {
        let listener = try RawListener(backlog: 0)
        let group = try EventLoopGroup(count: 1)
        let dialer = Dialer(group: group, connectTimeout: .milliseconds(200))
        var connections: [Connection] = []
        var failure: NetpollError?
        let start = Deadline.now()
        for _ in 0..<8 where failure == nil {
            do throws(NetpollError) {
                connections.append(
                    try await dialer.dial(.tcp(host: "127.0.0.1", port: listener.port))
                )
            } catch {
                failure = error
            }
        }
        #expect(failure?.code == .timedOut)
        #expect(start.advanced(by: .seconds(5)) > .now())
        for connection in connections { connection.abort() }
        await group.shutdown()
    }

    // Row B12.
    @Test("connections beyond the limit are ended at once, and those within it go on")
    func connectionLimit() async throws {
        let group = try EventLoopGroup(count: 2)
        var options = ListenerOptions()
        options.connectionLimit = 10
        let listener = try Listener(
            on: .tcp(host: "127.0.0.1", port: 0),
            group: group,
            options: options
        ) { _ in Echo() }
        let port = listener.localAddress.port
        let took = try await blocking {
            let inside = try (0..<10).map { _ in try RawSocket(port: port) }
            for (number, raw) in inside.enumerated() {
                try raw.send([UInt8(number)])
                #expect(try raw.receive(count: 1) == [UInt8(number)])
            }
            let start = Deadline.now()
            for _ in 0..<200 { _ = try RawSocket(port: port).receiveEnd() }
            let took = Deadline.now().timeRemaining(from: start)
            for raw in inside {
                try raw.send([7])
                #expect(try raw.receive(count: 1) == [7])
            }
            return took
        }
        #expect(took < .seconds(2))
        try await eventually("all have left") { listener.connectionCount == 0 }
        // The places are free again.
        try await blocking {
            let raw = try RawSocket(port: port)
            try raw.send([1])
            #expect(try raw.receive(count: 1) == [1])
        }
        await listener.close()
        await group.shutdown()
    }
}
