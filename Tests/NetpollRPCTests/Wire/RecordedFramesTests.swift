import NetpollCore
import NetpollProtobuf
import TestProtos
import TestSupport
import Testing

@testable import NetpollRPC

@Suite("Recorded frames")
struct RecordedFramesTests {
    @Test("every recorded byte belongs to a frame that decodes", arguments: Recording.names)
    func decodes(name: String) throws {
        for direction in ["c2s", "s2c"] {
            let frames = try decodeAll(Recording(name, direction).bytes)
            #expect(!frames.isEmpty)
            for frame in frames where frame.header.sequenceID != 0 || frame.transport == .framed {
                let message = try WireMessage(parsing: frame.payload)
                #expect(message.type == .call || direction == "s2c")
                // Framed answers an unknown method before it has read the sequence id.
                if frame.transport == .ttHeaderFramed {
                    #expect(message.sequenceID == frame.header.sequenceID)
                }
            }
        }
    }

    @Test(
        "requests decode to the calls that were made",
        arguments: [
            ("ttheader-echo", "Echo", "hi", "hello"), ("framed-echo", "Echo", "hi", "hello"),
            ("mux-echo", "Echo", "hi", "hello"), ("ttheader-fail", "Fail", "hi", "hello"),
            ("framed-unknown", "Nope", "hi", "hello"), ("ttheader-biz", "Echo", "biz", "hello"),
            ("framed-empty", "Echo", "", ""),
        ]
    )
    func requests(name: String, method: String, action: String, msg: String) throws {
        let frame = try #require(try decodeAll(Recording(name, "c2s").bytes).first)
        let message = try WireMessage(parsing: frame.payload)
        let request = try Echo_EchoRequest(serializedBytes: Array(message.body))
        #expect(message.method == method && request.action == action && request.msg == msg)
        #expect(frame.header.serviceName == (frame.transport == .framed ? nil : "Echo"))
    }

    @Test("headers tell timeout, metadata, business status and the end of a connection")
    func headers() throws {
        let timeout = try #require(try decodeAll(Recording("ttheader-timeout", "c2s").bytes).first)
        #expect(timeout.header.timeoutMilliseconds == 1234)
        let metadata = try #require(
            try decodeAll(Recording("ttheader-metainfo", "c2s").bytes).first
        )
        #expect(metadata.header.requestMetadata.transient == ["tkey": "tval"])
        #expect(metadata.header.requestMetadata.persistent == ["pkey": "pval"])
        let business = try #require(try decodeAll(Recording("ttheader-biz", "s2c").bytes).first)
        #expect(
            BusinessError(business.header) == BusinessError(1001, "biz failed", extra: ["k": "v"])
        )
        let control = try #require(try decodeAll(Recording("mux-shutdown-idle", "s2c").bytes).last)
        #expect(control.header.sequenceID == 0 && control.header.isConnectionReset)
        let backward = try #require(
            try decodeAll(Recording("ttheader-backward", "s2c").bytes).first
        )
        #expect(backward.header.string("back") == "ward")
    }

    @Test("exceptions tell their id and text")
    func exceptions() throws {
        let frame = try #require(try decodeAll(Recording("ttheader-fail", "s2c").bytes).first)
        let message = try WireMessage(parsing: frame.payload)
        #expect(message.type == .exception)
        let exception = WireException(parsing: message.body)
        #expect(exception == WireException(typeID: 6, message: "biz error: deliberate failure"))
        #expect(exception.bytes == Array(message.body))
    }

    @Test(
        "our encoder writes frames with the recorded pairs, payload and length",
        arguments: Recording.names
    )
    func encodes(name: String) throws {
        for direction in ["c2s", "s2c"] {
            for frame in try decodeAll(Recording(name, direction).bytes)
            where frame.header.sequenceID != 0 || frame.transport == .framed {
                let message = try WireMessage(parsing: frame.payload)
                let head = FrameHead(
                    transport: frame.transport,
                    flags: frame.header.flags,
                    type: message.type,
                    sequenceID: message.sequenceID,
                    method: Array(message.method.utf8),
                    template: HeaderTemplate(
                        strings: frame.header.strings.map { ($0.key, $0.value) },
                        integers: frame.header.integers.map { ($0.key, $0.value) }
                    )
                )
                let ours = try #require(
                    try decodeAll(encode(head, body: Array(message.body))).first
                )
                #expect(ours.pairs == frame.pairs && Array(ours.payload) == Array(frame.payload))
                #expect(
                    ours.header.flags == frame.header.flags
                        && ours.header.blocks.count == frame.header.blocks.count
                )
            }
        }
    }

    @Test("a request of ours has the pairs that a Kitex client with all handlers sends")
    func requestPairs() throws {
        let method = MethodDescriptor(service: "Echo", package: "echo", name: "Echo")
        let head = FrameHead(
            transport: .ttHeaderFramed,
            type: .call,
            sequenceID: 1,
            method: method.wireName,
            template: method.requestTemplate,
            caller: HeaderTemplate.caller(""),
            strings: [("RPC_TRANSIT_tkey", "tval")],
            timeoutMilliseconds: 1234
        )
        let frame = try #require(try decodeAll(encode(head, body: [])).first)
        #expect(
            frame.pairs == [
                Pair(key: "isn", value: "Echo"), Pair(key: "RPC_TRANSIT_tkey", value: "tval"),
                Pair(key: "#1", value: "framed"), Pair(key: "#3", value: ""),
                Pair(key: "#6", value: "Echo"),
                Pair(key: "#9", value: "Echo"), Pair(key: "#12", value: "1234"),
                Pair(key: "#20", value: ""),
                Pair(key: "#22", value: "1"),
            ]
        )
    }
}
