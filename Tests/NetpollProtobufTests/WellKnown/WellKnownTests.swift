import NetpollProtobuf
import TestProtos
import Testing

@Suite("Any")
struct AnyTests {
    @Test("a message is packed and unpacked by its type")
    func packing() throws {
        let message = Tests_Everything.with { $0.stringValue = "x" }
        let any = try Google_Protobuf_Any(message: message)
        #expect(any.typeURL == "type.googleapis.com/tests.Everything")
        #expect(any.isA(Tests_Everything.self) && !any.isA(Tests_Left.self))
        #expect(try Tests_Everything(unpackingAny: any) == message)
        var target = Tests_Everything()
        try any.unpackTo(&target)
        #expect(target == message)
        let error = #expect(throws: ProtobufError.self) { try Tests_Left(unpackingAny: any) }
        #expect(error?.code == .unknownType)
        #expect(!Google_Protobuf_Any().isA(Tests_Left.self))
    }

    @Test("a failed unpacking leaves the target as it was; required fields are checked")
    func failing() throws {
        var target = Tests_Legacy.with { $0.name = "n" }
        let any = Google_Protobuf_Any.with {
            $0.typeURL = "a/tests.Legacy"
            $0.value = hexBytes("1001")
        }
        let error = #expect(throws: ProtobufError.self) { try any.unpackTo(&target) }
        #expect(error?.code == .missingRequiredField && target.name == "n")
        try any.unpackTo(&target, partial: true)
        #expect(target.count == 1)
        let incomplete = #expect(throws: ProtobufError.self) {
            try Google_Protobuf_Any(message: Tests_Legacy())
        }
        #expect(incomplete?.code == .missingRequiredField)
    }

    @Test("a registry knows the well-known types and those it is given")
    func registry() {
        var registry = TypeRegistry()
        #expect(registry.type(named: "google.protobuf.Timestamp") == Google_Protobuf_Timestamp.self)
        #expect(registry.type(named: "tests.Left") == nil)
        registry.register(Tests_Left.self)
        #expect(registry.type(named: "tests.Left") == Tests_Left.self)
    }
}

@Suite("Struct, Value and wrappers")
struct StructTests {
    @Test("literals make values of every kind")
    func literals() {
        let value: Google_Protobuf_Value = ["a": [1, 2.5, "s", true, nil], "b": [:]]
        #expect(value.structValue["a"]?.listValue[1].numberValue == 2.5)
        #expect(value.structValue["a"]?.listValue.values.count == 5)
        #expect(value.structValue["a"]?.listValue[4].kind == .nullValue(.nullValue))
        #expect(value.structValue["b"]?.kind == .structValue(.init()))
        #expect(value.structValue["c"] == nil)
        var object: Google_Protobuf_Struct = ["x": 1]
        object["x"] = "y"
        #expect(object.fields == ["x": "y"])
        let wrapped: Google_Protobuf_StringValue = "text"
        #expect(wrapped.value == "text")
        #expect(Google_Protobuf_UInt64Value(.max).value == .max)
    }
}

@Suite("FieldMask")
struct FieldMaskTests {
    @Test("masks are made from paths of either kind")
    func making() {
        #expect(Google_Protobuf_FieldMask(protoPaths: "a_b", "c").paths == ["a_b", "c"])
        #expect(Google_Protobuf_FieldMask(jsonPaths: "aB", "c.dE")?.paths == ["a_b", "c.d_e"])
        #expect(Google_Protobuf_FieldMask(jsonPaths: "a_b") == nil)
        #expect(Google_Protobuf_FieldMask(jsonPaths: "a,b") == nil)
        #expect(
            Google_Protobuf_FieldMask(allFieldsOf: Tests_Right.self).paths == ["left", "number"]
        )
    }

    @Test(
        "a path is valid if every name in it is a field, and only messages are looked into",
        arguments: [
            ("int32_value", true), ("child.child.point.x", true), ("points", true),
            ("choice_self.optional_color", true), ("int32Value", false), ("points.x", false),
            ("string_map.k", false), ("int32_value.x", false), ("", false), ("child.", false),
            ("child..point", false), ("nope", false),
        ]
    )
    func validity(path: String, isValid: Bool) {
        #expect(Tests_Everything.isPathValid(path) == isValid)
        #expect(
            Google_Protobuf_FieldMask(protoPaths: [path]).isValid(for: Tests_Everything.self)
                == isValid
        )
    }

    @Test("masks are sets of paths, and a path covers what it leads to")
    func sets() {
        let left: Google_Protobuf_FieldMask = ["b.c", "a", "b.c.d", "ab", "a-x"]
        let right: Google_Protobuf_FieldMask = ["a.x", "b", "c"]
        #expect(left.canonical.paths == ["a", "a-x", "ab", "b.c"])
        #expect(left.contains("a.anything") && !left.contains("b") && !left.contains("abc"))
        #expect(left.union(right).paths == ["a", "a-x", "ab", "b", "c"])
        #expect(left.intersect(right).paths == ["a.x", "b.c"])
        #expect(left.subtract(right).paths == ["a", "a-x", "ab"])
    }

    private let sample = Tests_Everything.with {
        $0.int32Value = 1
        $0.strings = ["a"]
        $0.child.stringValue = "c"
        $0.child.point.x = 2
        $0.child.point.y = 3
        $0.choicePoint.x = 4
        $0.stringMap = ["k": "v"]
        $0.unknownFields.bytes = [0xF8, 0x55, 1]
    }

    @Test("trimming keeps what the paths lead to")
    func trim() throws {
        var message = sample
        #expect(try !message.trim(keeping: []) && message == sample)
        #expect(try message.trim(keeping: ["child.point.x", "strings", "choice_point", "bools"]))
        let expected = Tests_Everything.with {
            $0.strings = ["a"]
            $0.child.point.x = 2
            $0.choicePoint.x = 4
            $0.unknownFields.bytes = [0xF8, 0x55, 1]
        }
        #expect(message == expected)
        #expect(try !message.trim(keeping: ["child", "strings", "choice_point"]))
        let error = #expect(throws: ProtobufError.self) { try message.trim(keeping: ["nope"]) }
        #expect(error?.code == .invalidValue && message == expected)
        var group = Tests_Grouped.with {
            $0.single.number = 1
            $0.single.inner.text = "t"
        }
        #expect(try group.trim(keeping: ["single.inner"]))
        #expect(group == .with { $0.single.inner.text = "t" })
    }

    @Test("merging takes over what the paths lead to")
    func merge() throws {
        var message = Tests_Everything.with {
            $0.int32Value = 9
            $0.boolValue = true
            $0.strings = ["b"]
            $0.child.point.y = 8
            $0.child.int32Value = 7
            $0.choiceText = "t"
            $0.stringMap = ["l": "w"]
        }
        try message.merge(
            from: sample,
            fieldMask: [
                "int32_value", "bool_value", "strings", "child.point", "choice_point", "string_map",
            ]
        )
        let expected = Tests_Everything.with {
            $0.int32Value = 1
            $0.strings = ["b", "a"]
            $0.child.point.x = 2
            $0.child.point.y = 3
            $0.child.int32Value = 7
            $0.choicePoint.x = 4
            $0.stringMap = ["k": "v", "l": "w"]
        }
        #expect(message == expected)
        #expect(throws: ProtobufError.self) { try message.merge(from: sample, fieldMask: ["x"]) }
        let long = Array(repeating: "child", count: 100_000).joined(separator: ".")
        try message.merge(from: sample, fieldMask: [long])
        #expect(message == expected)
    }
}
