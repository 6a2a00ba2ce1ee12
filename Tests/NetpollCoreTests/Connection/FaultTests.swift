import Glibc
import NetpollTesting
import Synchronization
import Testing

@testable import NetpollCore

/// Has every accept fail while it is told to.
private final class FailingAccepts: SystemCallFaults {
    let number = Locked<Int32?>(nil)
    let failureCount = Atomic<Int>(0)

    func fault(for call: SystemCall, on fileDescriptor: Int32) -> SystemCallFault? {
        guard call == .accept, let number = number.withLock({ $0 }) else { return nil }
        failureCount.wrappingAdd(1, ordering: .relaxed)
        return .failure(number)
    }
}

/// Has a socket dial the port that it has itself, as chance may do with a port of the system's
/// choice.
private final class OwnPort: SystemCallFaults {
    private let address: RawAddress
    init(_ address: RawAddress) { self.address = address }

    func fault(for call: SystemCall, on fileDescriptor: Int32) -> SystemCallFault? {
        guard call == .connect else { return nil }
        return address.withSockaddr { bind(fileDescriptor, $0, $1) } == 0 ? nil : .failure(errno)
    }
}

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

    // Row B10, with what no test can cause for real.
    @Test(
        "an accept that fails for long neither spins nor keeps others waiting, and then goes on",
        arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, ECONNABORTED, EINTR]
    )
    func lastingAcceptFailure(number: Int32) async throws {
        let clock = ManualClock()
        let faults = FailingAccepts()
        var options = clock.options
        options.faults = faults
        let group = try EventLoopGroup(count: 1, options: options)
        let listener = try Listener(on: .tcp(host: "127.0.0.1", port: 0), group: group) { _ in
            Echo()
        }
        let dialer = Dialer(group: group, connectTimeout: .seconds(3600))
        let old = try await dialer.dial(listener.localAddress)
        try await eventually("it is accepted") { listener.connectionCount == 1 }
        faults.number.withLock { $0 = number }
        let new = try await dialer.dial(listener.localAddress)
        try await new.write([2])
        try await eventually("it was tried") {
            faults.failureCount.load(ordering: .relaxed) > 0
        }
        // While time stands still there is no reason to try again: one batch, however long it takes.
        for _ in 0..<100 {
            try await old.write([1])
            #expect(Array(try await old.read(count: 1)) == [1])
        }
        #expect(faults.failureCount.load(ordering: .relaxed) <= 64)
        for _ in 0..<100 { await clock.advance(by: .milliseconds(100)) }
        let tries = faults.failureCount.load(ordering: .relaxed)
        #expect(tries >= 10 && tries <= 30 * 64, "\(tries) tries in ten seconds")
        #expect(listener.connectionCount == 1)
        faults.number.withLock { $0 = nil }
        // Within a second, half of which is left for the rest.
        await clock.advance(by: .milliseconds(500))
        #expect(Array(try await new.read(count: 1)) == [2])
        await listener.close()
        await group.shutdown()
    }

    @Test("a socket that reaches itself is a refused connection", arguments: ["127.0.0.1", "::1"])
    func selfConnect(host: String) async throws {
        let any = try RawAddress.resolve(.tcp(host: host, port: 0), passive: false)[0]
        // The system allows it: both ends are one socket, and there is no server.
        let proof = try Socket.make(family: any.family)
        #expect(proof.bind(any) == nil)
        let own = proof.localAddress
        #expect([nil, EINPROGRESS].contains(proof.connect(try #require(own))))
        let peer = proof.peerAddress
        #expect(peer != nil && peer?.socketAddress == own?.socketAddress)
        let free = try Self.freeAddress(like: any)
        var options = EventLoopGroupOptions()
        options.faults = OwnPort(free)
        let group = try EventLoopGroup(count: 1, options: options)
        let error = await #expect(throws: NetpollError.self) {
            try await Dialer(group: group).dial(free.socketAddress)
        }
        #expect(error?.errorNumber == ECONNREFUSED)
        await group.shutdown()
    }

    private static func freeAddress(like address: RawAddress) throws -> RawAddress {
        let socket = try Socket.make(family: address.family)
        #expect(socket.bind(address) == nil)
        let chosen = socket.localAddress
        return try #require(chosen)
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
