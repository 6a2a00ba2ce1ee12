import NetpollCore
import Testing

@testable import NetpollRPC

/// Oversized replies between others, fed in pieces.
///
/// What comes out is compared with what was put in. The limit is 200 bytes, of headers 64.
@Suite("ReplyDecoder")
struct ReplyDecoderTests {
    private enum Event: Hashable {
        case frame(Int32)
        case oversized(Int32, isSkipped: Bool)
    }

    private static var limits: WireLimits {
        var limits = WireLimits()
        limits.frameByteCount = 200
        limits.headerByteCount = 64
        return limits
    }

    private static func reply(
        _ id: Int32,
        _ transport: Transport,
        bodyByteCount: Int,
        strings: [(key: String, value: String)] = []
    ) throws -> [UInt8] {
        let head = FrameHead(
            transport: transport,
            type: .reply,
            sequenceID: id,
            method: Array("Echo".utf8),
            template: HeaderTemplate(),
            strings: strings
        )
        return try encode(head, body: [UInt8](repeating: 0x5A, count: bodyByteCount))
    }

    /// Feeds pieces; between them no more bytes may stay behind than the limit allows.
    private static func events(_ pieces: [ArraySlice<UInt8>], keeping limit: Int = 200) throws
        -> [Event]
    {
        var decoder = ReplyDecoder(FrameDecoder(limits: limits))
        var input = LinkBuffer()
        var events: [Event] = []
        for piece in pieces {
            input.append(BufferSlice(copying: piece))
            reading: while true {
                switch try decoder.next(&input) {
                case .frame(let frame): events.append(.frame(frame.header.sequenceID))
                case .oversized(let reply):
                    events.append(.oversized(reply.sequenceID, isSkipped: reply.isSkipped))
                case .incomplete(let wanted):
                    let left = input.byteCount
                    #expect(wanted > left && wanted <= 200 && left <= limit)
                    break reading
                }
            }
        }
        let left = input.byteCount
        #expect(left == 0)
        return events
    }

    /// A reply, one over the limit, and another reply.
    private static func stream(_ kind: String) throws -> [UInt8] {
        let long = [(key: "k", value: String(repeating: "v", count: 100))]
        let oversized =
            switch kind {
            case "framed": try reply(-7, .framed, bodyByteCount: 300)
            case "header": try reply(-7, .ttHeaderFramed, bodyByteCount: 3, strings: long)
            default: try reply(-7, .ttHeaderFramed, bodyByteCount: 300)
            }
        return try reply(1, .ttHeaderFramed, bodyByteCount: 10) + oversized
            + reply(3, .ttHeaderFramed, bodyByteCount: 20)
    }

    private static let kinds = ["ttheader", "framed", "header"]
    private static let expected: [Event] = [
        .frame(1), .oversized(-7, isSkipped: true), .frame(3),
    ]

    @Test(
        "an oversized reply is told once and skipped, wherever the stream is cut",
        arguments: kinds
    )
    func cuts(kind: String) throws {
        let bytes = try Self.stream(kind)
        for first in 0...bytes.count {
            for second in stride(from: first, through: bytes.count, by: 1 + first % 7) {
                let pieces = [bytes[..<first], bytes[first..<second], bytes[second...]]
                #expect(try Self.events(pieces) == Self.expected, "\(first), \(second)")
            }
        }
    }

    @Test("what is skipped a byte at a time is not kept", arguments: kinds)
    func drip(kind: String) throws {
        let bytes = try Self.stream(kind)
        let pieces = bytes.indices.map { bytes[$0...$0] }
        // The whole of a small frame, and no more of a large one.
        #expect(try Self.events(pieces, keeping: 80) == Self.expected)
    }

    @Test("the error names the size and the limit")
    func message() throws {
        let bytes = try Self.reply(5, .framed, bodyByteCount: 300)
        var input = LinkBuffer()
        input.write(bytes)
        var decoder = ReplyDecoder(FrameDecoder(limits: Self.limits))
        guard case .oversized(let reply) = try decoder.next(&input) else {
            Issue.record("the frame is within the limit")
            return
        }
        #expect(reply.error.description == "a frame of 320 bytes exceeds the limit of 200")
    }

    @Test("a frame at the limit is a reply, and one byte more is too much")
    func exactLimit() throws {
        let atLimit = try Self.reply(5, .framed, bodyByteCount: 180)
        #expect(atLimit.count == 200)
        #expect(try Self.events([atLimit[...]]) == [.frame(0)])
        let over = try Self.reply(5, .framed, bodyByteCount: 181)
        #expect(try Self.events([over[...]]) == [.oversized(5, isSkipped: true)])
    }

    @Test(
        "a length beyond what is skipped is told with the call that it belongs to",
        arguments: [(64 << 20, true), (64 << 20 + 1, false), (0xFFFF_FFFF + 4, false)]
    )
    func tooLong(total: Int, isSkipped: Bool) throws {
        var input = LinkBuffer()
        input.write(UInt32(total - 4))
        input.write(WireFormat.headerMagic)
        input.write(UInt16(0))
        input.write(Int32(9))
        input.write(UInt16(1))
        var decoder = ReplyDecoder(FrameDecoder(limits: Self.limits))
        guard case .oversized(let reply) = try decoder.next(&input) else {
            Issue.record("the frame is within the limit")
            return
        }
        #expect(reply.sequenceID == 9 && reply.isSkipped == isSkipped)
    }

    @Test("a client that takes larger frames skips larger ones, four times as large")
    func skipLimit() {
        var limits = WireLimits()
        limits.frameByteCount = 100 << 20
        #expect(ReplyDecoder.skipLimit(limits) == 400 << 20)
        limits.frameByteCount = .max
        #expect(ReplyDecoder.skipLimit(limits) == 4 * Int(UInt32.max))
    }

    @Test(
        "an oversized frame that does not tell its call ends the stream",
        arguments: [
            // A control frame, headers that are empty or longer than their frame, and method names
            // that are longer than their message or than the limit.
            "00001000100000000000000000010000", "00001000100000000000000100000000",
            "00000010100000000000000100ff0000", "00001000900100020000100000000000",
            "00001000900100020000010000000000",
        ]
    )
    func unreadable(hex: String) throws {
        let digits = hex.compactMap(\.hexDigitValue)
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).map {
            UInt8(digits[$0] * 16 + digits[$0 + 1])
        }
        var input = LinkBuffer()
        input.write(bytes)
        var decoder = ReplyDecoder(FrameDecoder(limits: Self.limits))
        #expect(throws: WireError.self) { try decoder.next(&input) }
    }
}
