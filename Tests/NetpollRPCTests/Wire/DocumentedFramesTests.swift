import NetpollCore
import Testing

@testable import NetpollRPC

/// The document is right: its frames are what the encoder writes, and decode to what it says.
@Suite("Frames of Docs/Protocol.md")
struct DocumentedFramesTests {
    private struct Example: CustomTestStringConvertible {
        let name: String
        let head: FrameHead
        let body: [UInt8]
        var testDescription: String { name }

        init(
            _ name: String,
            _ type: WireFormat.MessageType = .call,
            id: Int32,
            body: [UInt8] = [0x0A, 0x02, 0x68, 0x69],
            _ change: (inout FrameHead) -> Void = { _ in }
        ) {
            self.name = name
            self.body = body
            var head = FrameHead(
                transport: .ttHeaderFramed,
                type: type,
                sequenceID: id,
                method: Array("Echo".utf8),
                template: HeaderTemplate()
            )
            change(&head)
            self.head = head
        }
    }

    private static let method = MethodDescriptor(
        service: "EchoService",
        package: "demo",
        name: "Echo"
    )

    private static func exception(_ text: String) -> [UInt8] {
        WireException(typeID: 6, message: text).bytes
    }

    private static func template(_ type: String) -> HeaderTemplate {
        HeaderTemplate(integers: [(WireFormat.IntegerKey.messageType, type)])
    }

    /// All but the control frame, which is no message.
    private static let examples = [
        Example("framed-request", id: 1) { $0.transport = .framed },
        Example("framed-reply", .reply, id: 1) { $0.transport = .framed },
        Example("framed-exception", .exception, id: 2, body: exception("biz error: boom")) {
            $0.transport = .framed
        },
        Example("smallest-request", id: 1),
        Example("request", id: 8) {
            $0.flags = WireFormat.outOfOrderFlag
            $0.template = method.requestTemplate
            $0.caller = HeaderTemplate.caller("Front")
            let transient: Metadata = ["trace": "7"]
            let persistent: Metadata = ["user": "ada"]
            $0.strings =
                transient.headerPairs(prefix: WireFormat.StringKey.transientPrefix)
                + persistent.headerPairs(prefix: WireFormat.StringKey.persistentPrefix)
            $0.timeoutMilliseconds = 1000
        },
        Example("reply", .reply, id: 8) {
            $0.template = template("2")
            $0.strings = [("node", "eu-1")]
        },
        Example("business-error", .reply, id: 5, body: []) {
            $0.template = template("2")
            $0.strings = BusinessError(404, "not found", extra: ["k": "v"]).headerPairs
        },
        Example("exception", .exception, id: 9, body: exception("too many calls")) {
            $0.template = template("3")
            let error = RPCError(.resourceExhausted, "", exceptionID: 6, retry: .elsewhere)
            $0.strings = error.headerPairs
        },
        Example("checksum", id: 0x1A) { $0.hasChecksum = true },
    ]

    @Test("there is an example of each kind, and no other")
    func names() throws {
        let documented = try Set(DocumentedFrames.load().keys)
        #expect(documented == Set(Self.examples.map(\.name) + ["control"]))
    }

    @Test("the encoder writes the documented bytes", arguments: examples.indices)
    func encodes(index: Int) throws {
        let example = Self.examples[index]
        let documented = try DocumentedFrames.load()[example.name]
        #expect(try encode(example.head, body: example.body) == documented, "\(example.name)")
    }

    @Test("the documented bytes decode to what was encoded", arguments: examples.indices)
    func decodes(index: Int) throws {
        let example = Self.examples[index]
        let bytes = try #require(try DocumentedFrames.load()[example.name])
        let frames = try decodeAll(bytes)
        let frame = try #require(frames.first)
        let message = try WireMessage(parsing: frame.payload)
        #expect(frames.count == 1 && frame.transport == example.head.transport)
        #expect(message.type == example.head.type && message.method == "Echo")
        #expect(message.sequenceID == example.head.sequenceID)
        #expect(Array(message.body) == example.body)
        guard frame.transport == .ttHeaderFramed else { return }
        #expect(frame.header.sequenceID == example.head.sequenceID)
        #expect(frame.header.flags == example.head.flags)
        #expect(frame.header.timeoutMilliseconds == example.head.timeoutMilliseconds)
    }

    @Test("what the text says of the examples is what their headers say")
    func meanings() throws {
        func frame(_ name: String) throws -> Frame {
            let bytes = try #require(try DocumentedFrames.load()[name])
            return try #require(try decodeAll(bytes).first)
        }
        let request = try frame("request").header
        #expect(request.serviceName == "EchoService" && request.timeoutMilliseconds == 1000)
        #expect(request.callerService == "Front")
        #expect(request.requestMetadata.transient == ["trace": "7"])
        #expect(request.requestMetadata.persistent == ["user": "ada"])
        #expect(
            try BusinessError(frame("business-error").header)
                == BusinessError(404, "not found", extra: ["k": "v"])
        )
        let exception = try frame("exception")
        let body = try WireMessage(parsing: exception.payload).body
        let error = RPCError(WireException(parsing: body), exception.header)
        #expect(error.code == .resourceExhausted && error.retry == .elsewhere)
        #expect(try frame("checksum").header.checksum == .value(0x1C21_156C))
        let control = try frame("control")
        #expect(control.isControl)
        #expect(throws: WireError.self) { try WireMessage(parsing: control.payload) }
    }
}
