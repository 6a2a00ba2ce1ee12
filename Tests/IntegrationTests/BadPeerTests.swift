import InMemoryLogging
import Logging
import NetpollCore
import NetpollProtobuf
import TestProtos
import TestSupport
import Testing

@testable import NetpollRPC

@Suite("Peers that do not keep to the protocol", .timeLimit(.minutes(2)))
struct BadPeerTests {
    // Row A7.
    @Test(
        "bytes that are not the protocol close the connection with a line at debug, no more",
        arguments: [
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\u{16}\u{03}\u{01}\u{02}\u{00}\u{01}\u{00}\u{01}",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            String(repeating: "?", count: 100_000),
        ]
    )
    func garbage(text: String) async throws {
        var log = InMemoryLogHandler()
        log.logLevel = .trace
        var options = RPCServerOptions()
        options.logger = Logger(label: "test") { [log] _ in log }
        let fixture = try Fixture(options: options)
        #expect(try await RawPeer(fixture).exchange(Array(text.utf8), endsOutput: false).isEmpty)
        #expect(try await fixture.echo().echo(.with { $0.msg = "x" }).msg == "x")
        #expect(log.entries.map(\.level) == [.debug])
        await fixture.stop()
    }

    @Test(
        "claimed lengths buy no memory and close the connection, after an answer where one can be told",
        arguments: [
            ("ffffffff1000000000000001000100000000", true), ("7fffffff9001000100000004", false),
            ("0000ffff1000000000000001ffff00000000", true),
            ("000000261000000000000001000002000000", false),
        ]
    )
    func lengths(hex: String, isAnswered: Bool) async throws {
        let fixture = try Fixture()
        let digits = hex.compactMap(\.hexDigitValue)
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).map {
            UInt8(digits[$0] * 16 + digits[$0 + 1])
        }
        let received = try await RawPeer(fixture).exchange(bytes, endsOutput: false)
        #expect(received.isEmpty != isAnswered)
        if isAnswered { #expect(try Answer(received).error?.code == .resourceExhausted) }
        await fixture.stop()
    }

    @Test("a frame cut off by the end of the stream closes the connection without an answer")
    func truncated() async throws {
        let fixture = try Fixture()
        let bytes = try Recording("ttheader-echo", "c2s").bytes
        for cut in stride(from: 1, to: bytes.count, by: 7) {
            #expect(try await RawPeer(fixture).exchange(Array(bytes[..<cut])).isEmpty)
        }
        await fixture.stop()
    }

    @Test("a corrupt request body is an exception, and the connection is kept")
    func corruptBody() async throws {
        let fixture = try Fixture()
        var bytes = try Recording("ttheader-echo", "c2s").bytes
        // The length of the first field, beyond the end of the message.
        bytes[bytes.count - 10] = 0x7F
        let good = try Recording("ttheader-echo", "c2s").bytes
        let received = try await RawPeer(fixture).exchange(bytes + good)
        var input = LinkBuffer()
        input.write(received)
        let decoder = FrameDecoder(limits: WireLimits())
        var types: [WireFormat.MessageType] = []
        while case .frame(let frame)? = input.isEmpty ? nil : try decoder.next(&input) {
            let message = try WireMessage(parsing: frame.payload)
            types.append(message.type)
            if message.type == .exception {
                #expect(WireException(parsing: message.body).typeID == 7)
            }
        }
        #expect(types == [.exception, .reply])
        await fixture.stop()
    }

    @Test("a call that arrives a byte at a time is answered")
    func drip() async throws {
        let fixture = try Fixture()
        let connection = try await Dialer(group: fixture.loops).dial(fixture.address)
        for byte in try Recording("ttheader-echo", "c2s").bytes {
            try await connection.write([byte])
            try await connection.flush()
        }
        let expected = try Recording("ttheader-echo", "s2c").bytes
        let reply = try await connection.read(count: expected.count, deadline: .after(.seconds(20)))
        #expect(reply.count == expected.count)
        connection.close()
        await fixture.stop()
    }

    @Test("a client that ends its direction after its request still gets the answer")
    func halfClose() async throws {
        let fixture = try Fixture()
        let request = try Echo_SleepRequest.with { $0.millis = 50 }.serializedBytes()
        let method = MethodDescriptor(service: "Echo", package: "echo", name: "Sleep")
        let head = FrameHead(
            transport: .ttHeaderFramed,
            type: .call,
            sequenceID: 7,
            method: method.wireName,
            template: method.requestTemplate
        )
        var output = LinkBuffer()
        let byteCount = try FrameEncoder.byteCount(
            of: head,
            bodyByteCount: request.count,
            limits: WireLimits()
        )
        let body = FrameEncoder.append(head, byteCount: byteCount, to: &output)
        UnsafeMutableRawBufferPointer(start: body, count: request.count).copyBytes(from: request)
        FrameEncoder.finish(head, byteCount: byteCount, body: body, in: &output)
        let bytes = output.readArray(byteCount) ?? []
        let received = try await RawPeer(fixture).exchange(bytes)
        #expect(String(decoding: received, as: UTF8.self).contains("slept"))
        await fixture.stop()
    }

    @Test(
        "a connection that sends nothing, or drips a frame, is closed in time, and a busy one is not"
    )
    func silence() async throws {
        var options = RPCServerOptions()
        options.idleTimeout = .milliseconds(100)
        options.frameTimeout = .milliseconds(100)
        let fixture = try Fixture(options: options)
        let busy = Task { try await fixture.echo().sleep(.with { $0.millis = 400 }).action }
        let silent = try await Dialer(group: fixture.loops).dial(fixture.address)
        let dripping = try await Dialer(group: fixture.loops).dial(fixture.address)
        try await dripping.write(Array(try Recording("ttheader-echo", "c2s").bytes.prefix(20)))
        for connection in [silent, dripping] {
            let end = try await connection.read(deadline: .after(.seconds(30)))
            #expect(end == nil)
            connection.abort()
        }
        #expect(try await busy.value == "slept")
        await fixture.stop()
    }

    /// Answers each request with fixed bytes, then does what the test wants.
    private final class Scripted: ConnectionHandler {
        let reply: [UInt8]
        let closes: Bool

        init(reply: [UInt8], closes: Bool) {
            self.reply = reply
            self.closes = closes
        }

        func connection(_ connection: Connection, didReceive input: inout LinkBuffer) -> Int {
            input.removeAll()
            let reply = reply
            connection.withOutput { $0.write(reply) }
            if closes { connection.close() }
            return 0
        }
        func connectionDidReachEnd(_ connection: Connection) { connection.close() }
        func connection(_ connection: Connection, didCloseWith error: NetpollError?) {}
    }

    @Test(
        "a server that answers with other bytes, or ends, fails each call once with a typed error",
        arguments: [
            ("HTTP/1.1 400 Bad Request\r\n\r\n", false, RPCError.Code.protocolViolation),
            ("", true, .unavailable),
            ("\u{0}\u{0}\u{0}\u{5}", true, .unavailable),
        ]
    )
    func badServer(reply: String, closes: Bool, code: RPCError.Code) async throws {
        let loops = try EventLoopGroup(count: 1)
        let listener = try Listener(on: .tcp(host: "127.0.0.1", port: 0), group: loops) { _ in
            Scripted(reply: Array(reply.utf8), closes: closes)
        }
        for mode in [RPCClientOptions.Connections.multiplexed(count: 1), .pooled(limit: 2)] {
            var options = RPCClientOptions()
            options.connections = mode
            // Such a server is left alone for a while; here each call is to meet it.
            options.dialBackOff.initial = .zero
            options.dialBackOff.limit = .zero
            let echo = Echo_EchoClient(
                try RPCClient(to: listener.localAddress, options: options, group: loops)
            )
            for _ in 0..<3 {
                let error = await #expect(throws: RPCError.self) {
                    try await echo.echo(.init(), timeout: .seconds(20))
                }
                #expect(error?.code == code)
            }
        }
        await listener.close()
        await loops.shutdown()
    }
}
