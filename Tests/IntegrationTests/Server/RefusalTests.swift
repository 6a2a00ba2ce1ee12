import NetpollCore
import NetpollProtobuf
import TestProtos
import TestSupport
import Testing

@testable import NetpollRPC

@Suite("Requests that cannot be served", .timeLimit(.minutes(2)))
struct RefusalTests {
    /// A frame with a header that can be read and a payload that cannot.
    static func frame(
        _ payload: [UInt8],
        sequenceID: Int32 = 9,
        strings: [(String, String)] = []
    ) -> [UInt8] {
        let template = HeaderTemplate(strings: strings)
        var block: [UInt8] = [0, 0]
        if !strings.isEmpty { block += [1, 0, UInt8(strings.count)] + template.strings }
        block += [UInt8](repeating: 0, count: (4 - block.count % 4) % 4)
        let id = UInt32(bitPattern: sequenceID)
        return bigEndian(UInt32(10 + block.count + payload.count)) + [0x10, 0, 0, 0]
            + bigEndian(id) + [0, UInt8(block.count / 4)] + block + payload
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    /// Thrift, a wrong inner length, an unknown message type, no method, a method that is too long,
    /// nothing.
    static let payloads: [[UInt8]] = [
        [0x80, 1, 0, 1, 0, 0, 0, 4] + Array("Echo".utf8) + [0, 0, 0, 9, 0],
        [0, 0, 0, 99, 0x90, 1, 0, 1, 0, 0, 0, 4] + Array("Echo".utf8) + [0, 0, 0, 9],
        [0, 0, 0, 16, 0x90, 1, 0, 6, 0, 0, 0, 4] + Array("Echo".utf8) + [0, 0, 0, 9],
        [0, 0, 0, 12, 0x90, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9],
        [0, 0, 0, 12, 0x90, 1, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 9],
        [],
    ]

    @Test(
        "a payload that is no message is answered by its frame's id, and the connection goes on",
        arguments: payloads
    )
    func payload(bytes: [UInt8]) async throws {
        let fixture = try Fixture()
        let port = fixture.port
        try await blocking {
            let raw = try RawSocket(port: port)
            try raw.send(Self.frame(bytes) + Frames.echo(10))
            let answers = [try raw.receiveAnswer(), try raw.receiveAnswer()]
            #expect(Set(answers.map(\.sequenceID)) == [9, 10])
            let refused = try #require(answers.first { $0.sequenceID == 9 })
            #expect(refused.error?.code == .protocolViolation)
            #expect(answers.contains { $0.type == .reply })
        }
        await fixture.stop()
    }

    @Test("on Framed there is no id to answer by, and the connection ends")
    func framed() async throws {
        let fixture = try Fixture()
        let bytes: [UInt8] = [0, 0, 0, 12, 0x90, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9]
        #expect(try await RawPeer(fixture).exchange(bytes, endsOutput: false).isEmpty)
        await fixture.stop()
    }

    // Row A16.
    @Test("control frames, however many, are taken and not answered")
    func controlFrames() async throws {
        let fixture = try Fixture()
        let port = fixture.port
        let control = Self.frame(
            [0x80, 1, 0, 2, 0, 0, 0, 4] + Array("none".utf8) + [0, 0, 0, 0, 0],
            sequenceID: 0,
            strings: [("crrst", "1")]
        )
        try await blocking {
            let raw = try RawSocket(port: port)
            for _ in 0..<100 { try raw.send(Array(repeating: control, count: 100).joined()) }
            try raw.send(try Frames.echo(3))
            #expect(try raw.receiveAnswer().sequenceID == 3)
        }
        await fixture.stop()
    }

    // Rows A16 and B14.
    @Test("a peer that floods and reads no answers is not read from any more")
    func unreadAnswers() async throws {
        var options = RPCServerOptions()
        options.listener.connection.writeHighWaterMark = 64 << 10
        options.listener.connection.stallTimeout = .milliseconds(300)
        let fixture = try Fixture(options: options)
        let port = fixture.port
        let flood = Array(repeating: Self.frame([]), count: 500).flatMap { $0 }
        try await blocking {
            let raw = try RawSocket(port: port, receiveBuffer: 4096)
            raw.setSendBuffer(4096)
            var sent = 0
            // It ends when the kernel's buffers are full on both sides, or the server has closed.
            while sent < 1 << 30, raw.awaitWritable(milliseconds: 1000) {
                guard let count = try? raw.sendWithoutWaiting(flood) else { break }
                sent += count
            }
            #expect(sent < 64 << 20, "\(sent) bytes were read from a peer that reads nothing")
            raw.reset()
        }
        try await eventually("it is gone") { fixture.server.connectionCount == 0 }
        try await fixture.expectService()
        await fixture.stop()
    }

    // Row A5.
    @Test("a request at the limit is served; one byte more is answered with size and limit")
    func sizeLimit() async throws {
        var options = RPCServerOptions()
        let atLimit = try Frames.echo(1, messageByteCount: 100_000)
        options.limits.frameByteCount = atLimit.count
        let fixture = try Fixture(options: options)
        let port = fixture.port
        try await blocking {
            let raw = try RawSocket(port: port)
            try raw.send(atLimit)
            #expect(try raw.receiveAnswer().type == .reply)
            try raw.send(try Frames.echo(2, messageByteCount: 100_001))
            let answer = try raw.receiveAnswer()
            #expect(answer.sequenceID == 2)
            #expect(answer.error?.code == .resourceExhausted)
            #expect(answer.error?.retry == .never)
            let message = answer.error?.message ?? ""
            #expect(message.contains("\(atLimit.count + 1)"), "\(message)")
            #expect(message.contains("limit of \(atLimit.count)"), "\(message)")
            #expect(try raw.receiveEnd() == .finished)
        }
        let error = await #expect(throws: RPCError.self) {
            try await fixture.echo().echo(
                .with { $0.msg = String(repeating: "m", count: 200_000) }
            )
        }
        #expect(error?.code == .resourceExhausted)
        await fixture.stop()
    }

    // Row A5, the other way.
    @Test("a reply over the limit is an answer that says so, and the connection goes on")
    func replyLimit() async throws {
        var options = RPCServerOptions()
        options.limits.frameByteCount = 1000
        let fixture = try HandlerFixture(options) { request, _ in
            String(repeating: "m", count: request.msg == "long" ? 1000 : 10)
        }
        let echo = try fixture.echo()
        let error = await #expect(throws: RPCError.self) {
            try await echo.echo(.with { $0.msg = "long" })
        }
        #expect(error?.code == .resourceExhausted)
        #expect(error?.message.contains("exceeds the limit of 1000") == true)
        #expect(try await echo.echo(.init()).msg.count == 10)
        #expect(fixture.server.connectionCount == 1)
        await fixture.stop()
    }

    @Test("the id of a frame that is too large may come byte by byte")
    func drippedLimit() async throws {
        let fixture = try Fixture()
        let port = fixture.port
        try await blocking {
            let raw = try RawSocket(port: port)
            raw.set(6, 1, 1)
            try raw.drip(ClaimedLengthTests.prefix(claiming: .max))
            #expect(try raw.receiveAnswer().sequenceID == 1)
            #expect(try raw.receiveEnd() == .finished)
        }
        await fixture.stop()
    }

    // Row A13.
    @Test("metadata beyond the header's limits is answered, and ends the connection")
    func metadata() async throws {
        let fixture = try Fixture()
        let port = fixture.port
        try await blocking {
            let raw = try RawSocket(port: port)
            // A header block of 65,540 bytes.
            try raw.send([0, 2, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 5, 0x40, 0x01])
            let answer = try raw.receiveAnswer()
            #expect(answer.sequenceID == 5)
            #expect(answer.error?.code == .resourceExhausted)
            #expect(try raw.receiveEnd() == .finished)
        }
        try await blocking {
            let raw = try RawSocket(port: port)
            let many = [UInt8](repeating: 0, count: 4 * 2000)
            // 2,000 pairs of empty strings, and a good request that must not be mistaken for theirs.
            let block: [UInt8] = [0, 0, 1, 0x07, 0xD0] + many + [0, 0, 0]
            let length = UInt32(10 + block.count)
            let head = Self.bigEndian(length) + [0x10, 0, 0, 0, 0, 0, 0, 5]
            let words = UInt16(block.count / 4)
            try raw.send(
                try Frames.echo(4) + head + [UInt8(words >> 8), UInt8(words & 0xFF)] + block
            )
            // Both are answered, in either order.
            let answers = [try raw.receiveAnswer(), try raw.receiveAnswer()]
            #expect(Set(answers.map(\.sequenceID)) == [4, 5])
            let refused = try #require(answers.first { $0.sequenceID == 5 }?.error)
            #expect(refused.code == .resourceExhausted)
            #expect(refused.retry == .never)
            #expect(refused.message.contains("1024 pairs"))
            #expect(try raw.receiveEnd() == .finished)
        }
        try await fixture.expectService()
        await fixture.stop()
    }

    // Rows A10 and A12.
    @Test("an unknown method and an empty message leave the connection as it is")
    func unknown() async throws {
        let fixture = try HandlerFixture { _, _ in "" }
        let client = try fixture.client()
        let methods = [
            MethodDescriptor(service: "Echo", package: "echo", name: "Nope"),
            MethodDescriptor(service: "Nope", package: "echo", name: "Nope"),
        ]
        for method in methods {
            let error = await #expect(throws: RPCError.self) {
                let _: Echo_EchoResponse = try await client.call(method, Echo_EchoRequest())
            }
            #expect(error?.code == .unimplemented)
        }
        #expect(try await Echo_EchoClient(client).echo(.init()) == Echo_EchoResponse())
        #expect(fixture.server.connectionCount == 1)
        await fixture.stop()
    }

    // Row C6.
    @Test("what a handler throws by mistake shows the peer nothing", arguments: CallTests.modes)
    func secret(mode: RPCClientOptions.Connections) async throws {
        let fixture = try HandlerFixture { _, _ in throw Secret() }
        let echo = try fixture.echo(mode)
        for _ in 0..<3 {
            let error = try await refusal(echo)
            #expect(error.code == .internalError)
            #expect(!"\(error)".contains("1234"))
            #expect(!"\(error)".contains("Secret"))
        }
        await fixture.stop()
    }
}
