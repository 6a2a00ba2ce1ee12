import NetpollCore
import NetpollProtobuf
import TestProtos
import TestSupport
import Testing

@testable import NetpollRPC

@Suite("Frames that are cut", .timeLimit(.minutes(2)))
struct CutFrameTests {
    // Row A1.
    @Test("a call whose request and reply come in segments of one byte gets its answer")
    func oneByteSegments() async throws {
        let fixture = try Fixture()
        let port = fixture.port
        let request = try Frames.echo(messageByteCount: 2000)
        let (reply, whole) = try await blocking {
            let raw = try RawSocket(port: port)
            try raw.send(request)
            let whole = try raw.receiveFrame()
            try raw.drip(request)
            return (try raw.receiveFrame(), whole)
        }
        #expect(reply == whole)
        #expect(whole.count > 2000)
        await fixture.stop()

        // The other direction: a server that answers byte by byte.
        let listener = try RawListener()
        let server = Task {
            try await blocking {
                let raw = try listener.accept()
                _ = try raw.receiveFrame()
                try raw.drip(whole)
                _ = try raw.receiveEnd()
            }
        }
        let loops = try EventLoopGroup(count: 1)
        let pair = try await Self.exchangeRaw(request, with: .local(listener.port), loops)
        #expect(pair == whole.count)
        try await server.value
        await loops.shutdown()
    }

    /// Sends a request on a connection without a handler and reads a whole frame.
    private static func exchangeRaw(
        _ request: [UInt8],
        with address: SocketAddress,
        _ loops: EventLoopGroup
    ) async throws -> Int {
        let connection = try await Dialer(group: loops).dial(address)
        try await connection.write(request)
        let prefix = Array(try await connection.read(count: 4, deadline: .after(.seconds(20))))
        let length = prefix.reduce(0) { $0 << 8 | Int($1) }
        let rest = try await connection.read(count: length, deadline: .after(.seconds(20)))
        connection.close()
        return prefix.count + rest.count
    }

    // Row A1: in a process of its own, because memory is the process's.
    @Test(
        "a message of 300,000 segments of one byte costs no more memory than its bytes",
        .measuresMemory
    )
    func oneByteMemory() async {
        await #expect(processExitsWith: .success) {
            let fixture = try Fixture()
            let port = fixture.port
            let request = try Frames.echo(messageByteCount: 300_000)
            let grown = try await blocking {
                let raw = try RawSocket(port: port)
                try raw.send(try Frames.echo())
                _ = try raw.receiveFrame()
                let before = ProcessState.residentByteCount
                try raw.drip(request.dropLast(10))
                let grown = ProcessState.residentByteCount - before
                try raw.send(request.suffix(10))
                let reply = try raw.receiveFrame()
                #expect(reply.count > 300_000)
                return grown
            }
            #expect(grown < 4 << 20)
            await fixture.stop()
        }
    }

    // Row A2.
    @Test("a frame cut at any offset and then continued gets the same answer")
    func cutAndContinued() async throws {
        let fixture = try Fixture()
        let port = fixture.port
        let request = try Frames.echo()
        let different = try await blocking {
            let raw = try RawSocket(port: port)
            try raw.send(request)
            let whole = try raw.receiveFrame()
            var different: [Int] = []
            for cut in 1..<request.count {
                try raw.send(request[..<cut])
                // A call on a second connection comes back when the server has read the first part.
                if cut % 8 == 0 {
                    let other = try RawSocket(port: port)
                    try other.send(request)
                    _ = try other.receiveFrame()
                }
                try raw.send(request[cut...])
                if try raw.receiveFrame() != whole { different.append(cut) }
            }
            return different
        }
        #expect(different == [])
        await fixture.stop()
    }

    // Row A3, towards the server.
    @Test(
        "a request cut at any offset by an end or a reset leaves nothing behind, and the server lives",
        arguments: [false, true]
    )
    func cutRequest(resets: Bool) async throws {
        let fixture = try Fixture()
        let port = fixture.port
        let request = try Frames.echo()
        let answered = try await blocking {
            var answered = 0
            for cut in 0..<request.count {
                let raw = try RawSocket(port: port)
                try raw.send(request[..<cut])
                if resets {
                    raw.reset()
                } else {
                    raw.finish()
                    answered += try raw.receive().count
                }
            }
            return answered
        }
        #expect(answered == 0)
        try await eventually("no connection is left") { fixture.server.connectionCount == 0 }
        #expect(fixture.server.callCount == 0)
        try await fixture.expectService()
        await fixture.stop()
    }

    // Row A3, towards the client.
    @Test(
        "a reply cut at any offset by an end or a reset fails its call once, as unavailable",
        arguments: [false, true],
        CallTests.modes
    )
    func cutReply(resets: Bool, mode: RPCClientOptions.Connections) async throws {
        let fixture = try Fixture()
        let port = fixture.port
        let request = try Frames.echo()
        let reply = try await blocking {
            let raw = try RawSocket(port: port)
            try raw.send(request)
            return try raw.receiveFrame()
        }
        let listener = try RawListener()
        let server = Task {
            try await blocking {
                for cut in 0..<reply.count {
                    let raw = try listener.accept()
                    _ = try raw.receiveFrame()
                    try raw.send(reply[..<cut])
                    if resets { raw.reset() } else { raw.close() }
                }
            }
        }
        var options = RPCClientOptions()
        options.connections = mode == .pooled(limit: 100) ? mode : .multiplexed(count: 1)
        // Such a server is left alone for a while; here each call is to meet it.
        options.dialBackOff.initial = .zero
        options.dialBackOff.limit = .zero
        let client = try RPCClient(
            to: .local(listener.port),
            options: options,
            group: fixture.loops
        )
        let echo = Echo_EchoClient(client)
        for cut in 0..<reply.count {
            let error = await #expect(throws: RPCError.self, "cut at \(cut)") {
                try await echo.echo(.init(), timeout: .seconds(20))
            }
            #expect(error?.code == .unavailable, "cut at \(cut): \(String(describing: error))")
        }
        try await server.value
        await fixture.stop()
    }
}
