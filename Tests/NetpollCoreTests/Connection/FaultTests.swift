import Glibc
import NetpollTesting
import Testing

@testable import NetpollCore

@Suite("System calls that fail", .timeLimit(.minutes(1)))
struct FaultTests {
    @Test(
        "interrupted, short and refused calls lose, repeat and reorder no byte",
        arguments: 0..<20
    )
    func seeded(seed: UInt64) async throws {
        let faults = SeededFaults(seed: seed)
        let group = try EventLoopGroup(count: 2, options: faults.options)
        let pair = ConnectedPair(group: group) { _ in Echo() }
        var random = SeededGenerator(seed: seed)
        let bytes = random.bytes(20_000)
        async let echoed = pair.first.read(count: bytes.count)
        var sent = 0
        while sent < bytes.count {
            let end = min(bytes.count, sent + Int.random(in: 1...3000, using: &random))
            try await pair.first.write(Array(bytes[sent..<end]))
            sent = end
        }
        #expect(Array(try await echoed) == bytes, "seed \(seed)")
        #expect(faults.faultCount > 0)
        await group.shutdown()
    }

    @Test("a reset ends the connection once, at whatever call it comes", arguments: 0..<20)
    func resets(seed: UInt64) async throws {
        var rates = SeededFaults.Rates()
        rates.reset = 40
        let faults = SeededFaults(seed: seed, rates: rates)
        let group = try EventLoopGroup(count: 2, options: faults.options)
        let pair = ConnectedPair(group: group) { _ in Echo() }
        let closed = CountingLatch(2)
        for end in [pair.first, pair.second] { end.onClose { closed.hit() } }
        do {
            while true {
                try await pair.first.write([UInt8](repeating: 1, count: 500))
                _ = try await pair.first.read(count: 500)
            }
        } catch {
            #expect([.connectionReset, .endOfStream, .connectionClosed].contains(error.code))
        }
        pair.first.close()
        await closed.reached()
        #expect(!pair.first.isActive && !pair.second.isActive)
        await group.shutdown()
    }

    @Test("accepting goes on after errors of one connection, and after the table was full")
    func accept() async throws {
        let clock = ManualClock()
        let script = ScriptedFaults(accepts: [
            .fail(ECONNABORTED), .fail(EINTR), .fail(EPERM), .fail(EMFILE), .fail(ENFILE),
            .fail(ENOBUFS), .fail(ENOMEM),
        ])
        var options = script.options
        options.clock = clock
        let group = try EventLoopGroup(count: 1, options: options)
        let listener = try Listener(on: .tcp(host: "127.0.0.1", port: 0), group: group) {
            _ in Echo()
        }
        let dialer = Dialer(group: group, connectTimeout: .seconds(3600))
        let connection = try await dialer.dial(listener.localAddress)
        // Full tables: 10, 20, 40 and 80 ms of pause; nothing is accepted before they have passed.
        for pause in [10, 20, 40, 80] {
            #expect(listener.connectionCount == 0)
            await clock.advance(by: .milliseconds(pause))
        }
        try await connection.write([5])
        #expect(Array(try await connection.read(count: 1)) == [5])
        #expect(script.isFinished)
        await listener.close()
        await group.shutdown()
    }

    @Test("a dial that fails tells the error of the system")
    func connect() async throws {
        for (number, code) in [
            (ENETUNREACH, NetpollError.Code.unreachable), (EADDRNOTAVAIL, .invalidAddress),
            (ECONNREFUSED, .connectionRefused), (EMFILE, .limitExceeded),
        ] {
            let script = ScriptedFaults(connects: [.fail(number)])
            let group = try EventLoopGroup(count: 1, options: script.options)
            let error = await #expect(throws: NetpollError.self) {
                try await Dialer(group: group).dial(.tcp(host: "127.0.0.1", port: 1))
            }
            #expect(error?.code == code && error?.errorNumber == number)
            await group.shutdown()
        }
    }

    @Test("a Unix dial waits for a listener whose backlog is full")
    func fullBacklog() async throws {
        let script = ScriptedFaults(connects: [.fail(EAGAIN), .fail(EAGAIN), .fail(EAGAIN)])
        let group = try EventLoopGroup(count: 1, options: script.options)
        let address = SocketAddress.unix(path: "@netpoll-full-backlog").unique
        let listener = try Listener(on: address, group: group) { _ in Echo() }
        let connection = try await Dialer(group: group).dial(listener.localAddress)
        try await connection.write([5])
        #expect(Array(try await connection.read(count: 1)) == [5])
        #expect(script.isFinished)
        await listener.close()
        await group.shutdown()
    }
}
