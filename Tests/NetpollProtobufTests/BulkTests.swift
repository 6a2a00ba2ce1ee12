import NetpollProtobuf
import NetpollTesting
import TestProtos
import Testing

/// What is decoded where it is, without a copy by libprotobuf-c, and what is passed over eight bytes at a time.
@Suite("Long values, lists and runs of numbers")
struct BulkTests {
    @Test(
        "a message is the same whether its bulk is decoded in place or all of it is rewritten first",
        arguments: 0..<40
    )
    func inPlace(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<50 {
            let count = Int.random(in: 1...5, using: &random)
            let bytes = (0..<count).flatMap { _ in Self.fields(&random) }
            // The scanner leaves a message with an unknown field to the normaliser.
            // Of several errors the one that is met first is told, so they are not compared.
            let inPlace = try? Tests_Everything(serializedBytes: bytes)
            var rewritten = try? Tests_Everything(serializedBytes: hexBytes("f85501") + bytes)
            rewritten?.unknownFields = UnknownFields()
            let areSame = inPlace == rewritten
            #expect(areSame, "seed \(seed), \(bytes.count) bytes")
        }
    }

    /// One field, or a list or map with all its elements.
    private static func fields(_ random: inout SeededGenerator) -> [UInt8] {
        // Text, bytes, a child, the same with tags that are longer than need be, and a oneof's text.
        let values = ["72", "7a", "9a01", "f200", "fa00", "9a8100", "f203"]
        // Points, children and the entries of a map; points with a longer tag.
        let lists = ["da02", "e202", "9a03", "da8200"]
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return hexBytes("18") + [UInt8.random(in: 0...127, using: &random)]
        case 1:
            let count = [1, 2, 40, 400].randomElement(using: &random) ?? 1
            let tag = hexBytes(lists.randomElement(using: &random) ?? "")
            return (0..<count).flatMap { _ in
                tag + hexBytes(["00", "020801", "0472026161"].randomElement(using: &random) ?? "")
            }
        default:
            let tag = values.randomElement(using: &random) ?? ""
            var count = [0, 4, 600, 9_000, 70_000].randomElement(using: &random) ?? 0
            // A child is numbers.
            count &= ~1
            var content = [UInt8](repeating: 8, count: count)
            if count > 0, Int.random(in: 0..<8, using: &random) == 0 {
                content[Int.random(in: 0..<count, using: &random)] = 0xFF
            }
            return hexBytes(tag) + varint(count) + content
        }
    }

    private static func varint(_ value: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    @Test("the last of several values counts, be it longer or empty")
    func lastValue() throws {
        let long = [UInt8](repeating: 1, count: 10_000)
        let field = hexBytes("7a") + Self.varint(long.count) + long
        #expect(try Tests_Everything(serializedBytes: field).bytesValue == long)
        let empty = hexBytes("7a00")
        #expect(try Tests_Everything(serializedBytes: empty + field).bytesValue == long)
        #expect(try Tests_Everything(serializedBytes: field + empty).bytesValue == [])
        let emptyWithLongTag = hexBytes("fa0000")
        #expect(try Tests_Everything(serializedBytes: field + emptyWithLongTag).bytesValue == [])
    }

    @Test("an error in a long list says at which element")
    func place() {
        let good = hexBytes("e20203720161")
        let bad = hexBytes("e202037201c3")
        let bytes = (0..<1_000).flatMap { $0 == 700 ? bad : good }
        let error = #expect(throws: ProtobufError.self) {
            try Tests_Everything(serializedBytes: bytes)
        }
        #expect(error?.path == "tests.Everything.children[700].string_value")
    }

    @Test("a run of numbers is taken if each has at most ten bytes and the last one ends")
    func runs() throws {
        var random = SeededGenerator(seed: 7)
        for round in 0..<2_000 {
            let lengths = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                Int.random(in: 1...(round.isMultiple(of: 2) ? 10 : 11), using: &random)
            }
            var run = lengths.flatMap { [UInt8](repeating: 0x81, count: $0 - 1) + [1] }
            let isCut = round % 5 == 0 && !run.isEmpty
            if isCut { run[run.count - 1] = 0x81 }
            let bytes = hexBytes("8a02") + Self.varint(run.count) + run
            let isValid = lengths.allSatisfy { $0 <= 10 } && !isCut
            let message = try? Tests_Everything(serializedBytes: bytes)
            #expect(message?.int32List.count == (isValid ? lengths.count : nil), "\(lengths)")
        }
    }

    @Test("a byte that is not UTF-8 is found wherever it is in a string")
    func everyPlace() {
        for count in 1...100 {
            var text = [UInt8](repeating: 0x7F, count: count)
            let head = hexBytes("72") + [UInt8(count)]
            #expect(throws: Never.self) { try Tests_Everything(serializedBytes: head + text) }
            for place in 0..<count {
                text[place] = 0x80
                #expect(throws: ProtobufError.self) {
                    try Tests_Everything(serializedBytes: head + text)
                }
                text[place] = 0x7F
            }
        }
    }
}
