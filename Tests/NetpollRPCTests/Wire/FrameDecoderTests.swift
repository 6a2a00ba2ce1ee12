import NetpollCore
import TestSupport
import Testing

@testable import NetpollRPC

@Suite("FrameDecoder")
struct FrameDecoderTests {
    @Test(
        "a frame cut at every byte is incomplete before and whole after",
        arguments: ["ttheader-backward", "framed-echo"]
    )
    func cuts(name: String) throws {
        let bytes = try Recording(name, "c2s").bytes
        for cut in 0..<bytes.count {
            var input = LinkBuffer()
            input.write(Array(bytes[..<cut]))
            guard case .incomplete(let wanted) = try FrameDecoder(limits: WireLimits()).next(&input)
            else {
                Issue.record("a frame of \(bytes.count) bytes was whole after \(cut)")
                continue
            }
            let left = input.byteCount
            #expect(wanted > cut && wanted <= bytes.count && left == cut)
            // The rest in a block of its own, so that every field is cut somewhere.
            input.append(BufferSlice(copying: bytes[cut...]))
            guard case .frame(let frame) = try FrameDecoder(limits: WireLimits()).next(&input)
            else {
                Issue.record("the frame is not whole")
                continue
            }
            let rest = input.byteCount
            #expect(rest == 0)
            #expect(try WireMessage(parsing: frame.payload).method == "Echo")
        }
    }

    @Test(
        "lengths beyond the limits are refused before their bytes have come",
        arguments: [
            (UInt32.max, UInt16(1)), (0x7FFF_FFFF, 1), (64 << 20, 1), (100, 0xFFFF),
            (1 << 20, 16_385),
        ]
    )
    func limits(length: UInt32, headerWords: UInt16) {
        var input = LinkBuffer()
        input.write(length)
        input.write(WireFormat.headerMagic)
        input.write(UInt16(0))
        input.write(Int32(1))
        input.write(headerWords)
        let error = #expect(throws: WireError.self) {
            try FrameDecoder(limits: WireLimits()).next(&input)
        }
        #expect(error?.reason == .tooLarge)
    }

    @Test("a frame at the limit passes and one byte more does not, on both sides")
    func exactLimit() throws {
        var limits = WireLimits()
        let head = FrameHead(
            transport: .ttHeaderFramed,
            type: .call,
            sequenceID: 1,
            method: [0x41],
            template: HeaderTemplate()
        )
        let body = [UInt8](repeating: 1, count: 100)
        limits.frameByteCount = try encode(head, body: body).count
        #expect(try decodeAll(encode(head, body: body, limits: limits), limits: limits).count == 1)
        limits.frameByteCount -= 1
        #expect(throws: WireError.self) { try encode(head, body: body, limits: limits) }
        #expect(throws: WireError.self) { try decodeAll(encode(head, body: body), limits: limits) }
    }

    @Test(
        "broken headers are refused",
        arguments: [
            ("empty block", [UInt8]()), ("unknown protocol", [0x02, 0, 0, 0]),
            ("unknown block", [0, 0, 0x02, 0]),
            ("cut count", [0, 0, 0x01, 0]), ("cut text", [0, 0, 0x01, 0, 1, 0, 5, 0x41]),
            ("cut transforms", [0, 200, 0, 0]),
        ]
    )
    func brokenHeaders(name: String, block: [UInt8]) {
        var input = LinkBuffer()
        input.write(UInt32(10 + block.count))
        input.write(WireFormat.headerMagic)
        input.write(UInt16(0))
        input.write(Int32(1))
        input.write(UInt16(block.count / 4))
        input.write(block)
        let error = #expect(throws: WireError.self) {
            try FrameDecoder(limits: WireLimits()).next(&input)
        }
        #expect(error?.reason == .badHeader, "\(name)")
    }

    @Test(
        "padding between blocks, repeated blocks, transforms, unknown keys and flags are tolerated"
    )
    func tolerance() throws {
        let block: [UInt8] = [
            0x03, 2, 7, 9, 0, 0, 0x10, 0, 1, 0, 12, 0, 2, 0x34, 0x32, 0, 0x01, 0, 1, 0, 3, 0x69,
            0x73, 0x6E, 0, 1, 0x41,
            0x01, 0, 1, 0, 1, 0x78, 0, 0, 0x11, 0, 1, 0x74, 0, 0, 0,
        ]
        let padded = block + [UInt8](repeating: 0, count: (4 - block.count % 4) % 4)
        let header = try HeaderInfo(
            flags: 0x1F,
            sequenceID: -5,
            block: BufferSlice(copying: padded),
            limits: WireLimits()
        )
        #expect(header.timeoutMilliseconds == 42 && header.serviceName == "A")
        #expect(header.string("x") == "" && header.string(WireFormat.StringKey.aclToken) == "t")
    }

    @Test(
        "a timeout that is not a positive number is none",
        arguments: ["", "0", "-5", "x", "99999999999999999999"]
    )
    func badTimeouts(text: String) throws {
        let head = FrameHead(
            transport: .ttHeaderFramed,
            type: .call,
            sequenceID: 1,
            method: [0x41],
            template: HeaderTemplate(integers: [(WireFormat.IntegerKey.timeout, text)])
        )
        #expect(try decodeAll(encode(head, body: [])).first?.header.timeoutMilliseconds == nil)
    }

    @Test(
        "broken payloads are refused",
        arguments: [
            "00000005", "0000000c0000000000000000000000ff", "0000000c90010001000000ff00000001",
            "0000000c900100090000000000000001", "0000000c90010001000000000000000a",
            "000000ff900100010000000000000001",
        ]
    )
    func brokenPayloads(hex: String) {
        let digits = hex.compactMap(\.hexDigitValue)
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).map {
            UInt8(digits[$0] * 16 + digits[$0 + 1])
        }
        #expect(throws: WireError.self) { try WireMessage(parsing: BufferSlice(copying: bytes)) }
    }
}
