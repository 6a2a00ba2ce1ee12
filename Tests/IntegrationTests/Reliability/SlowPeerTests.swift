import NetpollCore
import NetpollProtobuf
import NetpollTesting
import TestProtos
import TestSupport
import Testing

@testable import NetpollRPC

@Suite("Peers that are slow", .timeLimit(.minutes(2)))
struct SlowPeerTests {
    // Row B13.
    @Test("many clients that drip a frame are closed at the frame's deadline; others go on")
    func drip() async throws {
        var options = RPCServerOptions()
        options.frameTimeout = .milliseconds(300)
        let fixture = try Fixture(options: options)
        let port = fixture.port
        let request = try Frames.echo(messageByteCount: 200)
        let echo = try fixture.echo()
        _ = try await echo.echo(.init())
        let dripping = Task {
            try await blocking {
                let start = Deadline.now()
                let peers = try (0..<300).map { _ in try RawSocket(port: port) }
                for byte in request.prefix(12) {
                    // A peer that was closed refuses sooner or later; that is the point.
                    for peer in peers { try? peer.send([byte]) }
                }
                for peer in peers { _ = try peer.receiveEnd() }
                return Deadline.now().timeRemaining(from: start)
            }
        }
        try await eventually("they are here") { fixture.server.connectionCount > 300 }
        var slowest = Duration.zero
        while fixture.server.connectionCount > 2 {
            let start = ContinuousClock.now
            _ = try await echo.echo(.init())
            slowest = max(slowest, ContinuousClock.now - start)
        }
        let took = try await dripping.value
        #expect(took >= .milliseconds(300))
        #expect(took < .seconds(5))
        #expect(slowest < .seconds(1))
        await fixture.stop()
    }

    @Test("clients that connect and say nothing are closed at the idle deadline")
    func silent() async throws {
        var options = RPCServerOptions()
        options.idleTimeout = .milliseconds(200)
        let fixture = try Fixture(options: options)
        let port = fixture.port
        let ends = try await blocking {
            try (0..<100).map { _ in try RawSocket(port: port) }.map { try $0.receiveEnd() }
        }
        #expect(ends.allSatisfy { $0 == .finished })
        try await eventually("all have left") { fixture.server.connectionCount == 0 }
        await fixture.stop()
    }

    @Test("clients that connect and say nothing are closed at the deadline of their first byte")
    func firstByte() async throws {
        var options = RPCServerOptions()
        options.firstByteTimeout = .milliseconds(200)
        let fixture = try Fixture(options: options)
        let port = fixture.port
        // One that has made a call may then be silent for as long as the idle timeout.
        let echo = try fixture.echo()
        _ = try await echo.echo(.init())
        let ends = try await blocking {
            try (0..<20).map { _ in try RawSocket(port: port) }.map { try $0.receiveEnd() }
        }
        #expect(ends.allSatisfy { $0 == .finished })
        try await eventually("the silent ones have left") { fixture.server.connectionCount == 1 }
        _ = try await echo.echo(.init())
        await fixture.stop()
    }

    @Test("a client whose every segment ends inside a frame, but whose frames are in time, is kept")
    func steadyHalves() async throws {
        var options = RPCServerOptions()
        options.frameTimeout = .milliseconds(300)
        let fixture = try Fixture(options: options)
        let port = fixture.port
        let request = try Frames.echo()
        let half = request.count / 2
        let (answered, took) = try await blocking {
            let raw = try RawSocket(port: port)
            let start = Deadline.now()
            var answered = 0
            try raw.send(request[..<half])
            // Each frame takes a fraction of its time; only all together take longer.
            while Deadline.now() < start.advanced(by: .milliseconds(900)) {
                try raw.send(request[half...] + request[..<half])
                guard try raw.receiveFrame().count > 4 else { break }
                answered += 1
            }
            return (answered, Deadline.now().timeRemaining(from: start))
        }
        #expect(answered > 10)
        #expect(took >= .milliseconds(900))
        await fixture.stop()
    }

    // Row B14, in a process of its own, because memory is the process's.
    @Test(
        "a client that sends and never reads is held back, and closed by the stall timeout",
        .measuresMemory
    )
    func neverReads() async {
        await #expect(processExitsWith: .success) {
            var options = RPCServerOptions()
            options.listener.connection.stallTimeout = .milliseconds(500)
            let fixture = try Fixture(options: options)
            let port = fixture.port
            let request = try Frames.echo(messageByteCount: 50_000)
            try await fixture.expectService()
            let before = ProcessState.residentByteCount
            let (sent, peer) = try await blocking {
                let raw = try RawSocket(port: port, receiveBuffer: 1 << 16)
                var sent = 0
                var offset = 0
                // Until the kernel has taken nothing for a tenth of a second.
                while sent < 400 << 20, raw.awaitWritable(milliseconds: 100) {
                    let count = try raw.sendWithoutWaiting(Array(request[offset...]))
                    sent += count
                    offset = (offset + count) % request.count
                }
                return (sent, raw)
            }
            #expect(sent < 64 << 20)
            #expect(ProcessState.residentByteCount - before < 32 << 20)
            let start = Deadline.now()
            try await eventually("it is closed") { fixture.server.connectionCount == 0 }
            #expect(Deadline.now().timeRemaining(from: start) < .seconds(5))
            peer.close()
            try await fixture.expectService()
            await fixture.stop()
        }
    }

    // Row B14: little is sent, and much asked for.
    @Test(
        "a client that never reads large replies costs the server no more than the write mark",
        .measuresMemory
    )
    func neverReadsReplies() async {
        await #expect(processExitsWith: .success) {
            let fixture = try HandlerFixture(takeOverThreshold: nil) { _, _ in
                String(repeating: "r", count: 256 << 10)
            }
            let port = fixture.port
            #expect(try await fixture.echo().echo(.init()).msg.count == 256 << 10)
            let before = ProcessState.residentByteCount
            let peer = try await blocking {
                let raw = try RawSocket(port: port, receiveBuffer: 1 << 16)
                for number in 1...2000 { try raw.send(try Frames.echo(Int32(number))) }
                return raw
            }
            try await eventually("it is held back") {
                fixture.server.state.withLock { state in
                    state.sessions.values.contains { $0.connection.hasExcessOutput }
                }
            }
            for _ in 0..<20 { for loop in fixture.loops.loops { await loop.turn() } }
            #expect(fixture.server.callCount > 0)
            #expect(ProcessState.residentByteCount - before < 32 << 20)
            peer.close()
            await fixture.stop()
        }
    }

    // The other way round, in a process of its own.
    @Test(
        "a server that never reads costs its client no more than the write mark",
        .measuresMemory
    )
    func serverNeverReads() async {
        await #expect(processExitsWith: .success) {
            let loops = try EventLoopGroup(count: 1)
            let listener = try RawListener()
            let accepted = Task { try await blocking { try listener.accept() } }
            var options = RPCClientOptions()
            options.connections = .multiplexed(count: 1)
            let echo = Echo_EchoClient(
                try RPCClient(to: .local(listener.port), options: options, group: loops)
            )
            let text = String(repeating: "x", count: 1 << 20)
            let request = Echo_EchoRequest.with { $0.msg = text }
            let before = ProcessState.residentByteCount
            for _ in 0..<100 {
                let error = await #expect(throws: RPCError.self) {
                    try await echo.echo(request, timeout: .milliseconds(10))
                }
                #expect([.deadlineExceeded, .resourceExhausted].contains(error?.code))
            }
            #expect(ProcessState.residentByteCount - before < 32 << 20)
            try await accepted.value.close()
        }
    }

    @Test("calls whose requests a server never took are made elsewhere when its connection breaks")
    func neverTaken() async throws {
        let fleet = try Fleet(1, loops: try EventLoopGroup(count: 2))
        let listener = try RawListener()
        let accepted = Task { try await blocking { try listener.accept() } }
        var options = RPCClientOptions()
        options.connections = .multiplexed(count: 1)
        options.connection.writeHighWaterMark = 64 << 20
        let stuck = Endpoint(.local(listener.port))
        let other = Endpoint(fleet.addresses[0], priority: 1)
        let client = try RPCClient(
            resolver: StaticResolver([stuck, other]),
            options: options,
            group: fleet.loops
        )
        // 60 MB, of which the kernel takes a few.
        let text = String(repeating: "x", count: 300_000)
        let calls = (0..<200).map { _ in
            let info = ReplyInfo()
            return (
                info,
                Task {
                    var options = CallOptions()
                    options.replyInfo = info
                    return try await Echo_EchoClient(client).echo(
                        .with { $0.msg = text },
                        timeout: .seconds(60),
                        options: options
                    ).msg
                }
            )
        }
        try await eventually("all were sent") { calls.allSatisfy { $0.0.attempts > 0 } }
        try await accepted.value.reset()
        listener.close()
        var (succeeded, failed) = (0, 0)
        for (info, call) in calls {
            switch await call.result {
            case .success:
                succeeded += 1
                #expect(info.address == other.address)
            case .failure(let error):
                failed += 1
                #expect((error as? RPCError)?.code == .unavailable)
            }
        }
        // What the kernel had taken may have run.
        #expect(failed >= 1 && succeeded >= 100, "\(failed) failed")
        await client.close()
        await fleet.stop()
    }
}
