import NetpollProtobuf
import TestProtos
import Testing

/// The expected bytes were written by Google's protoc.
@Suite("Extensions")
struct ExtensionTests {
    private static let message: Tests_Extended = .with {
        $0.number = 1
        $0.Tests_count = -1
        $0.Tests_label = "l"
        $0.Tests_raw = [0xFF]
        $0.Tests_grade = .low
        $0.Tests_payload.text = "p"
        $0.Tests_payload.again.Tests_count = 5
        $0.Tests_item.value = 3
        $0.Tests_loose = [-1, 1]
        $0.Tests_packed = [1, 2]
        $0.Tests_names = ["a", ""]
        $0.Tests_payloads = [.with { $0.numbers = [7] }, .init()]
        $0.Tests_items = [.with { $0.value = 4 }]
        $0.Tests_grades = [.high, .low]
        $0.Tests_strict.id = 9
        $0.Tests_ratio = 0.5
        $0.Tests_Extended_innerText = "in"
    }

    private static let bytes = hexBytes(
        """
        0801a006ffffffffffffffffff01aa06016cb20601ffb80601c206080a01701203a00605cb060803cc06d00601d00602
        da06080100000002000000e2060161e20600ea06021807ea0600f3060804f406fa060202018207020809b20902696e
        f9ffffff0f000000000000e03f
        """
    )

    @Test("extensions of every kind are written in the order of their numbers, and read back")
    func everyKind() throws {
        #expect(try Self.message.serializedBytes() == Self.bytes)
        let decoded = try Tests_Extended(
            serializedBytes: Self.bytes,
            extensions: Tests_Extensions_Extensions
        )
        #expect(decoded == Self.message)
        #expect(decoded.hashValue == Self.message.hashValue)
        #expect(decoded.unknownFields.isEmpty)
        #expect(decoded.Tests_payload.again.Tests_count == 5)
    }

    @Test("without a map, or with one that lacks it, an extension is an unknown field")
    func unknown() throws {
        let plain = try Tests_Extended(serializedBytes: Self.bytes)
        #expect(plain.number == 1 && !plain.hasTests_count)
        #expect(plain.unknownFields.bytes == Array(Self.bytes.dropFirst(2)))
        #expect(try plain.serializedBytes() == Self.bytes)
        let some = try Tests_Extended(
            serializedBytes: Self.bytes,
            extensions: [Tests_Extensions_label] as SimpleExtensionMap
        )
        #expect(some.Tests_label == "l" && !some.hasTests_count && !some.unknownFields.isEmpty)
    }

    @Test("an extension has presence and a default; an empty list is no value")
    func presence() throws {
        var message = Tests_Extended()
        #expect(message.Tests_count == 7 && message.Tests_grade == .high)
        #expect(!message.hasTests_count && message.Tests_names.isEmpty)
        message.Tests_count = 0
        #expect(message.hasTests_count)
        #expect(try message.serializedBytes() == hexBytes("a00600"))
        message.clearTests_count()
        message.Tests_names = ["x"]
        message.Tests_names = []
        #expect(message == Tests_Extended())
        message.Tests_raw = []
        #expect(message.hasTests_raw && message != Tests_Extended())
    }

    @Test("occurrences are merged as those of fields are, packed or not")
    func merging() throws {
        let bytes = hexBytes(
            "a00601a00602c206030a0161c206021807da060801000000020000 00dd0603000000"
        )
        let message = try Tests_Extended(
            serializedBytes: bytes,
            extensions: Tests_Extensions_Extensions
        )
        #expect(message.Tests_count == 2 && message.Tests_packed == [1, 2, 3])
        #expect(message.Tests_payload.text == "a" && message.Tests_payload.numbers == [7])
        var merged = Self.message
        try merged.merge(serializedBytes: hexBytes("a0060a"))
        #expect(merged.Tests_count == 10 && merged.Tests_payload == Self.message.Tests_payload)
        #expect(merged.unknownFields.isEmpty)
    }

    @Test("a number that the enum does not know, and a wrong wire type, stay unknown")
    func unknownParts() throws {
        let bytes = hexBytes("b80609 a2060161 fa06020209")
        let message = try Tests_Extended(
            serializedBytes: bytes,
            extensions: Tests_Extensions_Extensions
        )
        #expect(!message.hasTests_grade && !message.hasTests_count)
        #expect(message.Tests_grades == [.high])
        #expect(message.unknownFields.bytes == hexBytes("a2060161b80609f80609"))
    }

    @Test("required fields in an extension are checked on both sides")
    func required() throws {
        var message = Tests_Extended()
        message.Tests_strict = .init()
        #expect(!message.isInitialized)
        let error = #expect(throws: ProtobufError.self) { try message.serializedBytes() }
        #expect(error?.code == .missingRequiredField)
        #expect(error?.path == "tests.Extended.strict.id")
        let bytes = hexBytes("820700")
        let other = #expect(throws: ProtobufError.self) {
            try Tests_Extended(serializedBytes: bytes, extensions: Tests_Extensions_Extensions)
        }
        #expect(other?.path == "tests.Extended.strict.id")
        let partial = try Tests_Extended(
            serializedBytes: bytes,
            extensions: Tests_Extensions_Extensions,
            partial: true
        )
        #expect(partial == message)
    }

    @Test("the nesting limit counts messages in extensions")
    func nesting() throws {
        func nested(_ levels: Int) -> [UInt8] {
            (0..<levels).reduce(into: []) { payload, level in
                let tag = level % 2 == 0 ? hexBytes("12") : hexBytes("c206")
                let length = UInt16(payload.count)
                // A length of two bytes, whatever it is.
                payload = tag + [UInt8(length & 0x7F) | 0x80, UInt8(length >> 7)] + payload
            }
        }
        let error = #expect(throws: ProtobufError.self) {
            try Tests_Extended(
                serializedBytes: nested(102),
                extensions: Tests_Extensions_Extensions
            )
        }
        #expect(error?.code == .tooDeep)
        let deep = try Tests_Extended(
            serializedBytes: nested(100),
            extensions: Tests_Extensions_Extensions
        )
        #expect(deep.hasTests_payload)
    }

    @Test("message sets are groups on the wire, and an item may come in whatever order")
    func messageSets() throws {
        var set = Tests_Container()
        set.Tests_Element_element.number = 5
        set.Tests_Element_element.container.Tests_Element_element.number = 6
        let bytes = hexBytes("0b10e8071a0d0805120 90b10e8071a0208060c0c")
        #expect(try set.serializedBytes() == bytes)
        let map = Tests_Extensions_Extensions
        #expect(try Tests_Container(serializedBytes: bytes, extensions: map) == set)
        let unknown = try Tests_Container(serializedBytes: bytes)
        #expect(unknown.unknownFields.bytes == bytes && !unknown.hasTests_Element_element)
        let reversed = try Tests_Container(
            serializedBytes: hexBytes("0b1a02080510e8070c"),
            extensions: map
        )
        #expect(reversed.Tests_Element_element.number == 5)
        let other = hexBytes("0b10e9071a0208050c")
        let kept = try Tests_Container(serializedBytes: other, extensions: map)
        #expect(kept.unknownFields.bytes == other)
        #expect(try kept.serializedBytes() == other)
    }

    @Test("maps of extensions can be joined and asked")
    func maps() {
        var map: SimpleExtensionMap = [Tests_Extensions_count]
        #expect(map[Tests_Extended.self, 100] != nil && map[Tests_Extended.self, 101] == nil)
        #expect(map[Tests_Legacy.self, 100] == nil)
        map.formUnion([Tests_Extensions_label])
        #expect(map.union([Tests_Extensions_raw])[Tests_Extended.self, 102] != nil)
        #expect(map[Tests_Extended.self, 102] == nil)
        #expect(
            map.fieldNumberForProto(messageType: Tests_Extended.self, protoFieldName: "tests.label")
                == 101
        )
    }

    @Test("the description shows extensions, groups, message sets and unknown fields")
    func description() {
        var message = Tests_Extended.with {
            $0.number = 1
            $0.Tests_label = "a\"\n"
            $0.Tests_item.value = 3
            $0.Tests_packed = [1, 2]
            $0.unknownFields.bytes = hexBytes("180a")
        }
        message.Tests_raw = [0xFF]
        #expect(
            message.debugDescription == #"""
                tests.Extended:
                  number: 1
                  [tests.label]: "a\"\n"
                  [tests.raw]: "\377"
                  [tests.item] {
                    value: 3
                  }
                  [tests.packed]: 1
                  [tests.packed]: 2
                  3: 10
                """#
        )
        var set = Tests_Container()
        set.Tests_Element_element.number = 5
        #expect(
            set.debugDescription == """
                tests.Container:
                  [tests.Element.element] {
                    number: 5
                  }
                """
        )
    }
}
