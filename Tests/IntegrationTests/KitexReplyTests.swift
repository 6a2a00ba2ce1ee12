import NetpollCore
import NetpollProtobuf
import Synchronization
import TestProtos
import Testing

@testable import NetpollRPC

/// What a client makes of everything that a Kitex server may answer, and of what none should.
@Suite("Replies of Kitex servers", .timeLimit(.minutes(2)))
struct KitexReplyTests {
    /// One frame of an answer.
    private struct Part: Sendable {
        var type = WireFormat.MessageType.reply
        var transport = Transport.ttHeaderFramed
        /// What is added to the request's sequence id, in the header and in the message.
        var headerOffset: Int32 = 0
        var messageOffset: Int32 = 0
        var method = "Echo"
        var strings: [(key: String, value: String)] = []
        var body: [UInt8]?

        /// The bytes; the two ids of a TTHeader frame can differ here.
        func bytes(answering request: WireMessage) throws -> [UInt8] {
            let head = FrameHead(
                transport: transport,
                type: type,
                sequenceID: request.sequenceID &+ messageOffset,
                method: Array(method.utf8),
                template: HeaderTemplate(),
                strings: strings
            )
            let body = body ?? Array(request.body)
            let byteCount = try FrameEncoder.byteCount(
                of: head,
                bodyByteCount: body.count,
                limits: WireLimits()
            )
            var output = LinkBuffer()
            let target = FrameEncoder.append(head, byteCount: byteCount, to: &output)
            UnsafeMutableRawBufferPointer(start: target, count: body.count).copyBytes(from: body)
            FrameEncoder.finish(head, byteCount: byteCount, body: target, in: &output)
            var bytes = output.readArray(byteCount) ?? []
            guard transport == .ttHeaderFramed else { return bytes }
            let id = UInt32(bitPattern: request.sequenceID &+ headerOffset)
            for index in 0..<4 {
                bytes[8 + index] = UInt8(truncatingIfNeeded: id >> (24 - 8 * UInt32(index)))
            }
            return bytes
        }
    }

    /// Answers each request with some frames.
    private final class Peer: ConnectionHandler {
        private let parts: @Sendable (WireMessage) -> [Part]

        init(_ parts: @escaping @Sendable (WireMessage) -> [Part]) { self.parts = parts }

        func connection(_ connection: Connection, didReceive input: inout LinkBuffer) -> Int {
            do {
                while true {
                    switch try FrameDecoder(limits: WireLimits()).next(&input) {
                    case .incomplete(let wanted): return wanted
                    case .frame(let frame):
                        let request = try WireMessage(parsing: frame.payload)
                        for part in parts(request) {
                            let bytes = try part.bytes(answering: request)
                            connection.withOutput { $0.write(bytes) }
                        }
                    }
                }
            } catch {
                connection.close()
                return 0
            }
        }
        func connectionDidReachEnd(_ connection: Connection) { connection.close() }
        func connection(_ connection: Connection, didCloseWith error: NetpollError?) {}
    }

    /// Runs a body with a client of a peer that answers so, and a count of its connections.
    private func withPeer(
        _ mode: RPCClientOptions.Connections,
        retry policy: RetryPolicy? = nil,
        _ parts: @escaping @Sendable (WireMessage) -> [Part],
        _ body: (Echo_EchoClient, () -> Int) async throws -> Void
    ) async throws {
        let loops = try EventLoopGroup(count: 1)
        let accepted = AcceptedCount()
        let listener = try Listener(on: .tcp(host: "127.0.0.1", port: 0), group: loops) { _ in
            accepted.value.add(1, ordering: .relaxed)
            return Peer(parts)
        }
        var options = RPCClientOptions()
        options.connections = mode
        options.timeout = .seconds(20)
        options.retryPolicy = policy
        let client = try RPCClient(to: listener.localAddress, options: options, group: loops)
        try await body(Echo_EchoClient(client)) { accepted.value.load(ordering: .relaxed) }
        await client.close()
        await listener.close()
        await loops.shutdown()
    }

    private final class AcceptedCount: Sendable {
        let value = Atomic(0)
    }

    private static let modes: [RPCClientOptions.Connections] = [
        .multiplexed(count: 1), .pooled(limit: 2),
    ]

    @Test("replies to other ids, and second replies, reach nobody", arguments: modes)
    func strangers(mode: RPCClientOptions.Connections) async throws {
        let stranger = Part(headerOffset: 1000, messageOffset: 1000, body: [])
        try await withPeer(mode) { _ in
            [stranger, Part(), Part(), stranger]
        } _: { echo, count in
            for number in 0..<20 {
                let reply = try await echo.echo(.with { $0.msg = "\(number)" })
                #expect(reply.msg == "\(number)")
            }
            #expect(count() == 1)
        }
    }

    @Test("a reply whose own id differs from its header's is a violation", arguments: modes)
    func differentIDs(mode: RPCClientOptions.Connections) async throws {
        try await withPeer(mode) { _ in
            [Part(messageOffset: 1)]
        } _: { echo, count in
            for _ in 0..<2 {
                let error = await #expect(throws: RPCError.self) { try await echo.echo(.init()) }
                #expect(error?.code == .protocolViolation)
            }
            #expect(count() == 2)
        }
    }

    @Test(
        "of an exception neither id nor method are looked at; every id has its code and text",
        arguments: [
            (0, "unknown"), (1, "unimplemented"), (2, "protocolViolation"), (3, "unimplemented"),
            (4, "protocolViolation"), (5, "protocolViolation"), (6, "internalError"),
            (7, "invalidArgument"), (8, "protocolViolation"), (9, "protocolViolation"),
            (10, "protocolViolation"), (20, "unimplemented"), (21, "unimplemented"),
            (12_345, "unknown"), (-1, "unknown"),
        ] as [(Int32, String)]
    )
    func exceptions(id: Int32, code: String) async throws {
        // What Kitex puts before the words of a handler is taken off.
        let texts = ["", "said so"] + (id == 6 ? ["biz error: said so"] : [])
        for text in texts {
            let part = Part(
                type: .exception,
                messageOffset: 77,
                method: "Other",
                // A business status means nothing beside an exception.
                strings: [("biz-status", "404")],
                body: WireException(typeID: id, message: text).bytes
            )
            try await withPeer(.multiplexed(count: 1)) { _ in
                [part]
            } _: { echo, _ in
                let error = await #expect(throws: RPCError.self) { try await echo.echo(.init()) }
                #expect(error?.code.description == code && error?.exceptionID == id)
                #expect(error?.message.isEmpty == false)
                if !text.isEmpty { #expect(error?.message == "said so") }
            }
        }
    }

    @Test(
        "a reply of another type or to another method fails its call alone",
        arguments: [0, 1, 2]
    )
    func misplaced(kind: Int) async throws {
        let parts = [Part(method: "Other"), Part(type: .call), Part(type: .oneway)]
        let wrong = parts[kind]
        try await withPeer(.multiplexed(count: 1)) { request in
            request.body.isEmpty ? [wrong] : [Part()]
        } _: { echo, count in
            let error = await #expect(throws: RPCError.self) { try await echo.echo(.init()) }
            #expect(error?.code == .protocolViolation)
            let reply = try await echo.echo(.with { $0.msg = "x" })
            #expect(reply.msg == "x")
            #expect(count() == 1)
        }
    }

    @Test(
        "business status is an error exactly if it is a 32-bit number other than 0",
        arguments: [
            ("404", 404), ("-7", -7), ("2147483647", 2_147_483_647), ("0", nil), ("", nil),
            ("x", nil), ("4294967296", nil), ("1.5", nil),
        ] as [(String, Int32?)]
    )
    func businessStatus(text: String, status: Int32?) async throws {
        let part = Part(strings: [
            ("biz-status", text), ("biz-message", "no"), ("biz-extra", "{broken"),
        ])
        try await withPeer(.multiplexed(count: 1)) { _ in
            [part]
        } _: { echo, _ in
            do {
                let reply = try await echo.echo(.with { $0.msg = "x" })
                #expect(status == nil && reply.msg == "x")
            } catch let error as BusinessError {
                #expect(error.status == status && error.message == "no" && error.extra.isEmpty)
            }
        }
    }

    @Test(
        "crrst in a reply ends a pooled connection and leaves a multiplexed one",
        arguments: modes
    )
    func connectionReset(mode: RPCClientOptions.Connections) async throws {
        let part = Part(strings: [("crrst", "1")])
        try await withPeer(mode) { _ in
            [part]
        } _: { echo, count in
            for _ in 0..<3 {
                let reply = try await echo.echo(.with { $0.msg = "x" })
                #expect(reply.msg == "x")
            }
            #expect(count() == (mode == .multiplexed(count: 1) ? 1 : 3))
        }
    }

    @Test("a control frame sends new calls elsewhere, and the call in flight still ends")
    func control() async throws {
        try await withPeer(.multiplexed(count: 1)) { request in
            let control = Part(
                headerOffset: 0 &- request.sequenceID,
                messageOffset: 0 &- request.sequenceID,
                strings: [("crrst", "1")]
            )
            return [control, Part()]
        } _: { echo, count in
            for _ in 0..<3 {
                let reply = try await echo.echo(.with { $0.msg = "x" })
                #expect(reply.msg == "x")
            }
            #expect(count() == 3)
        }
    }

    @Test("a stream's type and Framed are accepted in a reply", arguments: modes)
    func otherForms(mode: RPCClientOptions.Connections) async throws {
        for part in [Part(type: .stream), Part(transport: .framed)] {
            try await withPeer(mode) { _ in
                [part]
            } _: { echo, _ in
                let reply = try await echo.echo(.with { $0.msg = "x" })
                #expect(reply.msg == "x")
            }
        }
    }

    @Test("what is told beside a reply is of the attempt whose outcome the caller gets")
    func lastAttempt() async throws {
        let count = Atomic(0)
        let failure = Part(
            type: .exception,
            strings: [("netpoll-code", "unavailable"), ("node", "first")],
            body: WireException(typeID: 6, message: "not now").bytes
        )
        try await withPeer(.multiplexed(count: 1), retry: .failure()) { _ in
            let isFirst = count.wrappingAdd(1, ordering: .relaxed).oldValue == 0
            return [isFirst ? failure : Part(messageOffset: 1)]
        } _: { echo, _ in
            let info = ReplyInfo()
            var options = CallOptions()
            options.replyInfo = info
            let error = await #expect(throws: RPCError.self) {
                try await echo.echo(.init(), options: options)
            }
            #expect(error?.code == .protocolViolation && info.attempts == 2)
            #expect(info.address == nil && info.metadata["node"] == nil)
        }
    }
}
