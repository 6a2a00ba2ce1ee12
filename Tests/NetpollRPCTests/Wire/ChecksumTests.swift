import NetpollCore
import NetpollTesting
import TestSupport
import Testing

@testable import NetpollRPC

@Suite("Payload checksums")
struct ChecksumTests {
    private func head(_ transport: Transport = .ttHeaderFramed, sequenceID: Int32 = 1) -> FrameHead
    {
        FrameHead(
            transport: transport,
            type: .call,
            sequenceID: sequenceID,
            method: Array("Echo".utf8),
            template: HeaderTemplate(strings: [("isn", "Echo")], integers: [(22, "1")]),
            timeoutMilliseconds: 5,
            hasChecksum: true
        )
    }

    private func decode(_ bytes: [UInt8], requiresChecksum: Bool = false) throws -> Frame {
        var input = LinkBuffer()
        input.write(bytes)
        let decoder = FrameDecoder(limits: WireLimits(), requiresChecksum: requiresChecksum)
        guard case .frame(let frame) = try decoder.next(&input) else { throw Leftover() }
        return frame
    }

    @Test(
        "known values of CRC-32C",
        arguments: [
            (Array("123456789".utf8), 0xE306_9283),
            ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
            ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43), ([], 0),
        ] as [([UInt8], UInt32)]
    )
    func known(bytes: [UInt8], expected: UInt32) {
        #expect(bytes.withUnsafeBytes { CRC32C.checksum($0) } == expected)
        #expect(bytes.withUnsafeBytes { CRC32C.checksumByTable($0) } == expected)
    }

    @Test("the tables and the instruction agree, whatever the length and the place")
    func agreement() {
        var random = SeededGenerator(seed: 1)
        let bytes = random.bytes(300)
        bytes.withUnsafeBytes { bytes in
            for start in 0..<9 {
                for end in start..<300 {
                    let part = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
                    if CRC32C.checksum(part) != CRC32C.checksumByTable(part) {
                        Issue.record("bytes \(start)..<\(end) of seed 1")
                    }
                }
            }
        }
    }

    @Test("the text has eight lower-case digits, and nothing else is read")
    func text() {
        for sum in [0, 1, 0x1C21_156C, 0xFC0C_718D, UInt32.max] {
            var text = [UInt8](repeating: 0, count: 8)
            text.withUnsafeMutableBytes { bytes in
                if let base = bytes.baseAddress { CRC32C.write(sum, to: base) }
            }
            #expect(text.withUnsafeBytes { CRC32C.parse($0) } == sum)
        }
        for text in ["", "1c21156", "1c21156c0", "1C21156C", "1c21156g", "+c21156c", " c21156c"] {
            #expect(Array(text.utf8).withUnsafeBytes { CRC32C.parse($0) } == nil, "\(text)")
        }
    }

    @Test("a frame has the checksum that Kitex computes for the same payload")
    func vectors() throws {
        let body: [UInt8] = [0x0A, 0x02, 0x68, 0x69]
        var head = head(sequenceID: 0x1A)
        var frame = try decode(encode(head, body: body))
        #expect(frame.header.checksum == .value(0x1C21_156C))
        #expect(frame.pairs.contains(Pair(key: "crc32c", value: "1c21156c")))
        head.type = .reply
        frame = try decode(encode(head, body: body))
        #expect(frame.header.checksum == .value(0xFC0C_718D))
    }

    @Test("recorded checksums pass, and ours of the payload are equal", arguments: ["c2s", "s2c"])
    func recorded(direction: String) throws {
        let frame = try decode(Recording("ttheader-crc", direction).bytes, requiresChecksum: true)
        let message = try WireMessage(parsing: frame.payload)
        var head = head(sequenceID: message.sequenceID)
        head.type = message.type
        let ours = try decode(encode(head, body: Array(message.body)))
        #expect(Array(ours.payload) == Array(frame.payload))
        #expect(ours.header.checksum == frame.header.checksum)
    }

    @Test("the other pairs and the payload are what they are without a checksum")
    func neighbours() throws {
        var head = head()
        head.strings = [("RPC_TRANSIT_k", "v")]
        let with = try decode(encode(head, body: [1, 2, 3]))
        head.hasChecksum = false
        let without = try decode(encode(head, body: [1, 2, 3]))
        #expect(with.pairs.subtracting(without.pairs).map(\.key) == ["crc32c"])
        #expect(with.pairs.isSuperset(of: without.pairs))
        #expect(Array(with.payload) == Array(without.payload))
    }

    @Test("a change of any bit of the payload is noticed, and the error says so")
    func flips() throws {
        let bytes = try encode(head(), body: Array("payload".utf8))
        let payloadByteCount = 16 + 4 + 7
        for offset in bytes.count - payloadByteCount..<bytes.count {
            for bit in 0..<8 {
                var broken = bytes
                broken[offset] ^= 1 << bit
                let error = #expect(throws: WireError.self) { try decode(broken) }
                #expect(error?.reason == .badChecksum)
            }
        }
    }

    @Test("a checksum in capitals is wrong, as for Kitex; a missing one counts when required")
    func missing() throws {
        var head = head(sequenceID: 0x1A)
        head.hasChecksum = false
        let body: [UInt8] = [0x0A, 0x02, 0x68, 0x69]
        let plain = try encode(head, body: body)
        #expect(try decode(plain).header.checksum == .absent)
        #expect(throws: WireError.self) { try decode(plain, requiresChecksum: true) }
        head.strings = [("crc32c", "1C21156C")]
        let error = #expect(throws: WireError.self) { try decode(encode(head, body: body)) }
        #expect(error?.reason == .badChecksum)
        head.strings = [("crc32c", "1c21156c")]
        _ = try decode(encode(head, body: body), requiresChecksum: true)
    }

    @Test("Framed never has one, and a control frame needs none")
    func exceptions() throws {
        let framed = try encode(head(.framed), body: [])
        #expect(try decode(framed).header.checksum == .absent)
        let error = #expect(throws: WireError.self) { try decode(framed, requiresChecksum: true) }
        #expect(error?.reason == .badChecksum)
        var control = head(sequenceID: 0)
        control.hasChecksum = false
        #expect(throws: WireError.self) {
            try decode(encode(control, body: []), requiresChecksum: true)
        }
        control.strings = [("crrst", "1")]
        #expect(try decode(encode(control, body: []), requiresChecksum: true).isControl)
    }
}
