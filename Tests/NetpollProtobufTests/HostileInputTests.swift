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

    @Test("many mostly empty messages of a large type pass, and a megabyte of them is refused")
    func amplification() throws {
        func list(_ count: Int, _ element: String) -> [UInt8] {
            repeated(hexBytes(element), count)
        }
        #expect(MemoryLayout<Tests_Wide>.stride > 900)
        for element in ["0a00", "0a020801", "1205120338c801"] {
            let message = try Tests_WideList(serializedBytes: list(11_000, element))
            #expect(message.items.count + message.named.count > 0)
        }
        // About seven bytes an element, as real lists have, in whatever number.
        #expect(
            try Tests_WideList(serializedBytes: list(100_000, "0a0608ffffffff7f")).items.count
                == 100_000
        )
        for element in ["0a00", "120412021200"] {
            let error = #expect(throws: ProtobufError.self) {
                try Tests_WideList(serializedBytes: list(1 << 19, element))
            }
            #expect(error?.code == .tooLarge)
        }
        var options = BinaryDecodingOptions()
        options.memoryLimit = .max
        let all = try Tests_WideList(serializedBytes: list(50_000, "0a00"), options: options)
        #expect(all.items.count == 50_000)
        options.memoryLimit = 1_000
        let error = #expect(throws: ProtobufError.self) {
            try Tests_WideList(serializedBytes: list(2, "0a00"), options: options)
        }
        #expect(error?.code == .tooLarge)
    }

    @Test("floods of unknown fields, oneof members and singular values are taken in linear time")
    func floods() throws {
        let count = 300_000
        let unknown = repeated(hexBytes("f85501"), count)
        #expect(try Tests_Everything(serializedBytes: unknown).unknownFields.bytes == unknown)
        let members = repeated(hexBytes("f20300e80301"), count / 2)
        #expect(try Tests_Everything(serializedBytes: members).choice == .choiceNumber(1))
        let texts = repeated(hexBytes("720161"), count)
        #expect(try Tests_Everything(serializedBytes: texts).stringValue == "a")
        let packed = hexBytes("8a0280808001") + [UInt8](repeating: 1, count: 1 << 21)
        #expect(try Tests_Everything(serializedBytes: packed).int32List.count == 1 << 21)
    }

    @Test("a length is refused up to 2^64 - 1, for known and unknown fields, and in a group")
    func lengths() {
        for prefix in ["72", "7a", "9a01", "8a02", "9a03", "fa55", "fb55fa55"] {
            for exponent in 7...64 {
                var length: [UInt8] = []
                var rest: UInt64 = exponent == 64 ? .max : 1 << UInt64(exponent)
                while rest >= 0x80 {
                    length.append(UInt8(rest & 0x7F) | 0x80)
                    rest >>= 7
                }
                let bytes = hexBytes(prefix) + length + [UInt8(rest), 0x61]
                let error = #expect(throws: ProtobufError.self) {
                    try Tests_Everything(serializedBytes: bytes)
                }
                #expect(error?.code == .truncated || error?.code == .malformed)
            }
        }
    }

    @Test(
        "a string that is not UTF-8 is refused wherever it is, even if a later one replaces it",
        arguments: [
            ("7202c328", "string_value"), ("7202c328720161", ""),
            ("b20101c3720161", "optional_string"),
            ("c20201c3", "strings[0]"), ("c20200c20201ff", "strings[1]"),
            ("9a03040a02c328", "string_map.key"), ("9a0305120 3e28228", "string_map.value"),
            ("f20301ff", "choice_text"), ("f20301ffe80301", ""),
            ("9a01037201ff", "child.string_value"),
            ("9a01037201ff9a010472026161", ""),
            ("e202037201c3", "children[0].string_value"),
        ]
    )
    func invalidUTF8(hex: String, place: String) {
        let error = #expect(throws: ProtobufError.self) {
            try Tests_Everything(serializedBytes: hexBytes(hex))
        }
        #expect(error?.code == .invalidUTF8)
        #expect(place.isEmpty || error?.path == "tests.Everything.\(place)")
    }

    @Test("the deepest message that is allowed fits on a small stack")
    func smallStack() throws {
        let bytes = nested(100)
        let again = SmallThread.run(stackByteCount: 1 << 20) {
            (try? Tests_Everything(serializedBytes: bytes).serializedBytes()) ?? []
        }
        #expect(again == bytes)
    }

    @Test("a message that is nested too deeply is not encoded either")
    func deepEncoding() {
        var left = Tests_Left()
        for _ in 0..<10_000 {
            var outer = Tests_Left()
            outer.right.left = left
            left = outer
        }
        let error = #expect(throws: ProtobufError.self) { try left.serializedBytes() }
        #expect(error?.code == .tooDeep)
        #expect(error?.path.hasPrefix("tests.Left…") == true)
        #expect(left.debugDescription.contains("tooDeep"))
    }

    @Test("a singular message that is repeated 100,000 times is merged in linear time")
    func repeatedSingular() throws {
        let bytes = repeated(hexBytes("9a0103c20200"), 100_000)
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

/// The bytes so many times.
private func repeated(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
    let wanted = bytes.count * count
    var result = bytes
    while result.count < wanted { result += result.prefix(wanted - result.count) }
    return result
}
