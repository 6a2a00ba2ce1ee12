import NetpollProtobuf
import NetpollTesting
import TestProtos
import Testing

@Suite("Hostile input", .timeLimit(.minutes(2)))
struct HostileInputTests {
    @Test(
        "bytes that break the wire format are refused with a code that says why",
        arguments: [
            ("08", ProtobufError.Code.truncated), ("7205ff", .truncated), ("00", .malformed),
            ("0f", .malformed),
            ("0e", .malformed), ("80808080808001", .malformed),
            ("18ffffffffffffffffffff01", .malformed),
            ("72ffffffffffffffffff01", .malformed), ("7202c328", .invalidUTF8),
            ("fc55", .malformed),
            ("fb5508", .truncated), ("fb550801f455", .malformed), ("8a0201ff", .truncated),
            ("aa0203010203", .truncated),
            ("c20201c3", .invalidUTF8), ("9a03040a02c328", .invalidUTF8),
            ("f8ffffff7f01", .truncated),
        ]
    )
    func broken(hex: String, code: ProtobufError.Code) {
        let error = #expect(throws: ProtobufError.self) {
            try Tests_Everything(serializedBytes: hexBytes(hex))
        }
        if hex == "f8ffffff7f01" {
            // Ends within the limit of five bytes: an unknown field whose value is missing or bad.
            #expect(error?.code == .malformed || error?.code == .truncated)
        } else {
            #expect(error?.code == code, "\(hex): \(error.map { "\($0)" } ?? "no error")")
        }
    }

    @Test(
        "nesting is limited to 100 levels, over messages and groups, and never overflows the stack"
    )
    func nesting() throws {
        #expect(throws: Never.self) { try Tests_Everything(serializedBytes: nested(100)) }
        for levels in [101, 10_000, 1_000_000] {
            let error = #expect(throws: ProtobufError.self) {
                try Tests_Everything(serializedBytes: nested(levels))
            }
            #expect(error?.code == .tooDeep)
        }
        let groups = Array(repeating: hexBytes("fb55"), count: 10_000).flatMap { $0 }
        let error = #expect(throws: ProtobufError.self) {
            try Tests_Everything(serializedBytes: groups)
        }
        #expect(error?.code == .tooDeep)
    }

    /// A child in a child, `levels` deep.
    private func nested(_ levels: Int) -> [UInt8] {
        // Lengths are written from the inside out.
        var prefixes: [[UInt8]] = []
        var length = 0
        for _ in 0..<levels {
            var varint: [UInt8] = []
            var rest = length
            while rest >= 0x80 {
                varint.append(UInt8(rest & 0x7F) | 0x80)
                rest >>= 7
            }
            varint.append(UInt8(rest))
            prefixes.append([0x9A, 0x01] + varint)
            length += 2 + varint.count
        }
        return prefixes.reversed().flatMap { $0 }
    }

    @Test("a member of a oneof that a later one replaces must be valid too")
    func droppedMembers() throws {
        // An unknown field, so that the scanner leaves the rest to the normaliser; a point whose only
        // field is cut off; a number in its place.
        let error = #expect(throws: ProtobufError.self) {
            try Tests_Everything(serializedBytes: hexBytes("f85501fa030108e80301"))
        }
        #expect(error?.code == .truncated)
        let valid = try Tests_Everything(serializedBytes: hexBytes("f85501fa03020802e80301"))
        #expect(valid.choice == .choiceNumber(1))
    }

    @Test("a megabyte of empty messages is refused within the memory limit")
    func amplification() {
        let bytes = [UInt8]((0..<400_000).flatMap { _ in hexBytes("e20200") })
        let error = #expect(throws: ProtobufError.self) {
            try Tests_Everything(serializedBytes: bytes)
        }
        #expect(error?.code == .tooLarge)
    }

    @Test("a singular message that is repeated 100,000 times is merged in linear time")
    func repeatedSingular() throws {
        let bytes = [UInt8]((0..<100_000).flatMap { _ in hexBytes("9a0103c20200") })
        #expect(try Tests_Everything(serializedBytes: bytes).child.strings.count == 100_000)
    }

    @Test(
        "mutated messages are decoded or refused, and what is decoded encodes to an equal message",
        arguments: 0..<20
    )
    func mutations(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<500 {
            var bytes = EverythingSample.bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                }
            }
            guard let message = try? Tests_Everything(serializedBytes: bytes) else { continue }
            let again = try Tests_Everything(serializedBytes: message.serializedBytes())
            // A NaN differs from itself, so equality is judged by bytes where values differ.
            if again != message {
                #expect(
                    try again.serializedBytes().count == message.serializedBytes().count,
                    "seed \(seed)"
                )
            }
        }
    }
}
