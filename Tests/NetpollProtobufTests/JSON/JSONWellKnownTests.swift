import NetpollProtobuf
import TestProtos
import Testing

@Suite("JSON of the well-known types")
struct JSONWellKnownTests {
    private static let ownForms: [(text: String, message: Tests_JSONForms)] = {
        var cases: [(text: String, message: Tests_JSONForms)] = []
        func add(_ text: String, _ fill: (inout Tests_JSONForms) -> Void) {
            cases.append((text, .with(fill)))
        }
        add(#"{"duration":"1.500s"}"#) { $0.duration = .init(seconds: 1, nanos: 500_000_000) }
        add(#"{"timestamp":"1970-01-01T00:00:01Z"}"#) { $0.timestamp.seconds = 1 }
        add(#"{"fieldMask":"foo,barBaz.a"}"#) { $0.fieldMask = ["foo", "bar_baz.a"] }
        add(#"{"fieldMask":""}"#) { $0.fieldMask = .init() }
        add(#"{"empty":{}}"#) { $0.empty = .init() }
        add(#"{"struct":{}}"#) { $0.struct = .init() }
        add(#"{"struct":{"a":[1,"2",null,{}]}}"#) { $0.struct = ["a": [1, "2", nil, [:]]] }
        add(#"{"value":null}"#) { $0.value = nil }
        add(#"{"value":1.5}"#) { $0.value = 1.5 }
        add(#"{"value":"NaN"}"#) { $0.value = "NaN" }
        add(#"{"value":false}"#) { $0.value = false }
        add(#"{"value":[]}"#) { $0.value = [] }
        add(#"{"listValue":[0,[true]]}"#) { $0.listValue = [0, [true]] }
        add(#"{"values":[null,1]}"#) { $0.values = [nil, 1] }
        add(#"{"nullValues":[null,null]}"#) { $0.nullValues = [.nullValue, .nullValue] }
        add(#"{"valueMap":{"k":null}}"#) { $0.valueMap = ["k": nil] }
        add(#"{"durationMap":{"-1":"-0.000000001s"}}"#) {
            $0.durationMap = [-1: .init(nanos: -1)]
        }
        add(#"{"chosenNull":null}"#) { $0.chosenNull = .nullValue }
        add(#"{"chosenValue":null}"#) { $0.chosenValue = nil }
        add(#"{"doubleWrapper":0}"#) { $0.doubleWrapper = 0.0 }
        add(#"{"floatWrapper":"-Infinity"}"#) { $0.floatWrapper = .init(-.infinity) }
        add(#"{"int64Wrapper":"-1"}"#) { $0.int64Wrapper = -1 }
        add(#"{"uint64Wrapper":"1"}"#) { $0.uint64Wrapper = 1 }
        add(#"{"int32Wrapper":0}"#) { $0.int32Wrapper = 0 }
        add(#"{"uint32Wrapper":7}"#) { $0.uint32Wrapper = 7 }
        add(#"{"boolWrapper":false}"#) { $0.boolWrapper = false }
        add(#"{"stringWrapper":""}"#) { $0.stringWrapper = "" }
        add(#"{"bytesWrapper":"AQI="}"#) { $0.bytesWrapper = .init([1, 2]) }
        add(#"{"int64Wrappers":["0","5"]}"#) { $0.int64Wrappers = [0, 5] }
        return cases
    }()

    @Test("each has a form of its own", arguments: ownForms)
    func forms(text: String, message: Tests_JSONForms) throws {
        #expect(try message.jsonString() == text)
        #expect(try Tests_JSONForms(jsonString: text) == message)
    }

    @Test("null takes the place of every well-known type but a value")
    func null() throws {
        let text =
            #"{"any":null,"duration":null,"fieldMask":null,"struct":null,"listValue":null,"#
            + #""timestamp":null,"int32Wrapper":null,"stringWrapper":null,"timestamps":null,"#
            + #""nullValue":null,"empty":null}"#
        #expect(try Tests_JSONForms(jsonString: text) == .init())
        #expect(try Tests_JSONForms(jsonString: #"{"nullValue":"NULL_VALUE"}"#) == .init())
        let chosen = try Tests_JSONForms(jsonString: #"{"chosenNull":"NULL_VALUE"}"#)
        #expect(try chosen.jsonString() == #"{"chosenNull":null}"#)
        let unknown = #"{"nullValue":-3}"#
        #expect(try Tests_JSONForms(jsonString: unknown).jsonString() == unknown)
    }

    @Test("each is a text of its own too")
    func alone() throws {
        #expect(
            try Google_Protobuf_Timestamp(jsonString: "\"1970-01-01T00:00:00.5Z\"").nanos
                == 500_000_000
        )
        #expect(try Google_Protobuf_Value(jsonString: " null ") == nil)
        #expect(try Google_Protobuf_Int64Value(jsonString: "\"5\"") == 5)
        #expect(try Google_Protobuf_ListValue(jsonString: "[1]").jsonString() == "[1]")
        #expect(try Google_Protobuf_Duration().jsonString() == "\"0s\"")
        #expect(try Google_Protobuf_Empty().jsonString() == "{}")
    }

    @Test(
        "text out of range or shape is refused",
        arguments: [
            ("timestamp", "0000-01-01T00:00:00Z"), ("timestamp", "10000-01-01T00:00:00Z"),
            ("timestamp", "0001-01-01T00:00:00"), ("timestamp", "0001-01-01 00:00:00Z"),
            ("timestamp", "0001-01-01t00:00:00Z"), ("timestamp", "0001-01-01T00:00:00z"),
            ("timestamp", "1970-01-01T08:00:01+0800"), ("timestamp", "0001-01-01T00:00:00+00:01"),
            ("timestamp", "9999-12-31T23:59:59-00:01"), ("timestamp", "1970-02-29T00:00:00Z"),
            ("timestamp", "1900-02-29T00:00:00Z"), ("timestamp", "1970-13-01T00:00:00Z"),
            ("timestamp", "1970-00-01T00:00:00Z"), ("timestamp", "1970-01-01T24:00:00Z"),
            ("timestamp", "1970-01-01T00:00:60Z"), ("timestamp", "1970-01-01T00:00:00.Z"),
            ("timestamp", "1970-01-01T00:00:00.0123456789Z"), ("timestamp", ""),
            ("timestamp", "1970-01-01T00:00:00Z "), ("timestamp", "-970-01-01T00:00:00Z"),
            ("duration", "1"), ("duration", "s"), ("duration", ""), ("duration", "-s"),
            ("duration", "1.s"), ("duration", ".5s"), ("duration", "+1s"), ("duration", "1 s"),
            ("duration", "1.0123456789s"), ("duration", "315576000001s"), ("duration", "1s1s"),
            ("duration", "-315576000001.000s"), ("duration", "99999999999999999999s"),
            ("fieldMask", "foo,bar_bar"), ("fieldMask", "foo,,bar"), ("fieldMask", ","),
        ]
    )
    func outOfRange(field: String, text: String) {
        let error = #expect(throws: ProtobufError.self) {
            try Tests_JSONForms(jsonString: "{\"\(field)\":\"\(text)\"}")
        }
        #expect(error?.code == .invalidValue)
        #expect(error?.path == "tests.JSONForms.\(field)")
    }

    @Test(
        "other values than strings are refused where a string is the form",
        arguments: ["timestamp", "duration", "fieldMask"]
    )
    func wrongKind(field: String) {
        for value in ["1", "{}", "[]", "true"] {
            let error = #expect(throws: ProtobufError.self) {
                try Tests_JSONForms(jsonString: "{\"\(field)\":\(value)}")
            }
            #expect(error?.code == .invalidValue)
        }
    }

    @Test("values without a form in JSON are an error")
    func notWritable() {
        let messages: [Tests_JSONForms] = [
            .with { $0.duration.seconds = 315_576_000_001 },
            .with { $0.duration.seconds = -315_576_000_001 },
            .with {
                $0.duration.seconds = 1
                $0.duration.nanos = -1
            },
            .with {
                $0.duration.seconds = -1
                $0.duration.nanos = 1
            },
            .with { $0.duration.nanos = 1_000_000_000 },
            .with { $0.timestamp.seconds = -62_135_596_801 },
            .with { $0.timestamp.seconds = 253_402_300_800 },
            .with { $0.timestamp.nanos = -1 },
            .with { $0.timestamp.nanos = 1_000_000_000 },
            .with { $0.fieldMask = ["fooBar"] }, .with { $0.fieldMask = ["foo_3_bar"] },
            .with { $0.fieldMask = ["foo__bar"] }, .with { $0.fieldMask = ["foo_"] },
            .with { $0.fieldMask = [""] }, .with { $0.fieldMask = ["a,b"] },
            .with { $0.value.numberValue = .nan }, .with { $0.value.numberValue = .infinity },
            .with { $0.value = .init() }, .with { $0.any.value = [1] },
        ]
        for message in messages {
            let error = #expect(throws: ProtobufError.self) { try message.jsonString() }
            #expect(error?.code == .invalidValue, "\(message)")
        }
    }
}

@Suite("JSON of google.protobuf.Any")
struct JSONAnyTests {
    private func options() -> (JSONEncodingOptions, JSONDecodingOptions) {
        let registry = TypeRegistry([
            Tests_Everything.self, Tests_JSONForms.self, Tests_Legacy.self,
        ])
        var encoding = JSONEncodingOptions()
        encoding.typeRegistry = registry
        var decoding = JSONDecodingOptions()
        decoding.typeRegistry = registry
        return (encoding, decoding)
    }

    @Test("the message's fields stand beside the type, or its form under \"value\"")
    func forms() throws {
        let (encoding, decoding) = options()
        let inner = try Google_Protobuf_Any(message: Tests_Everything.with { $0.int32Value = 5 })
        let cases: [(Google_Protobuf_Any, String)] = [
            (inner, #"{"@type":"type.googleapis.com/tests.Everything","int32Value":5}"#),
            (
                try .init(message: inner),
                #"{"@type":"type.googleapis.com/google.protobuf.Any","#
                    + #""value":{"@type":"type.googleapis.com/tests.Everything","int32Value":5}}"#
            ),
            (
                try .init(message: Google_Protobuf_Duration(seconds: 1), typePrefix: "x/y/"),
                #"{"@type":"x/y/google.protobuf.Duration","value":"1s"}"#
            ),
            (
                try .init(message: Google_Protobuf_Value(nilLiteral: ())),
                #"{"@type":"type.googleapis.com/google.protobuf.Value","value":null}"#
            ),
            (
                try .init(message: Google_Protobuf_Struct(dictionaryLiteral: ("a", 1))),
                #"{"@type":"type.googleapis.com/google.protobuf.Struct","value":{"a":1}}"#
            ),
            (
                try .init(message: Google_Protobuf_Int32Value(7)),
                #"{"@type":"type.googleapis.com/google.protobuf.Int32Value","value":7}"#
            ),
            (
                try .init(message: Google_Protobuf_Empty()),
                #"{"@type":"type.googleapis.com/google.protobuf.Empty"}"#
            ),
            (.init(), "{}"),
        ]
        for (any, text) in cases {
            #expect(try any.jsonString(options: encoding) == text)
            #expect(try Google_Protobuf_Any(jsonString: text, options: decoding) == any)
        }
    }

    @Test("the type may stand behind the fields")
    func order() throws {
        let text = #"{"any":{"int32Value":5,"point":{"x":[]},"#
        let good = #"{"any":{"child":{"int32Value":5},"\u0040type":"a/tests.Everything"}}"#
        let message = try Tests_JSONForms(jsonString: good, options: options().1)
        #expect(message.any.typeURL == "a/tests.Everything")
        #expect(try Tests_Everything(unpackingAny: message.any).child.int32Value == 5)
        let error = #expect(throws: ProtobufError.self) {
            try Tests_JSONForms(
                jsonString: text + #""@type":"a/tests.Everything"}}"#,
                options: options().1
            )
        }
        #expect(error?.path == "tests.JSONForms.any.point.x")
    }

    @Test(
        "what is not a packed message is refused",
        arguments: [
            (#"{"@type":"","value":""}"#, ProtobufError.Code.invalidValue),
            (#"{"@type":"not_a_url","value":""}"#, .invalidValue),
            (#"{"@type":"a/","value":""}"#, .invalidValue), (#"{"@type":5}"#, .invalidValue),
            (#"{"value":1}"#, .invalidValue), (#"{"typeUrl":"a/b"}"#, .invalidValue),
            (#"{"@type":"a/tests.Unknown"}"#, .unknownType),
            (#"{"@type":"a/tests.Everything","@type":"a/tests.Everything"}"#, .duplicateField),
            (#"{"@type":"a/tests.Everything","nope":1}"#, .unknownField),
            (#"{"@type":"a/tests.Everything","value":{}}"#, .unknownField),
            (#"{"@type":"a/google.protobuf.Duration"}"#, .invalidValue),
            (#"{"@type":"a/google.protobuf.Duration","value":"1s","value":"1s"}"#, .duplicateField),
            (#"{"@type":"a/google.protobuf.Duration","value":"1s","x":1}"#, .unknownField),
            (#"{"@type":"a/google.protobuf.Duration","value":"x"}"#, .invalidValue),
            (#"{"@type":"a/tests.Legacy"}"#, .missingRequiredField), ("[]", .invalidValue),
            (#"{"@type":"a/tests.Everything","int32Value":1,"int32Value":1}"#, .duplicateField),
        ]
    )
    func refused(text: String, code: ProtobufError.Code) {
        let error = #expect(throws: ProtobufError.self) {
            try Google_Protobuf_Any(jsonString: text, options: options().1)
        }
        #expect(error?.code == code, "\(error.map { "\($0)" } ?? "no error")")
    }

    @Test("bytes that others packed are checked before they are written")
    func foreignBytes() throws {
        let (encoding, _) = options()
        let url = "type.googleapis.com/tests.Everything"
        let merged = Google_Protobuf_Any.with {
            $0.typeURL = url
            // The child twice, and field 3 as a string.
            $0.value = hexBytes("9a01021805 9a01023007 1a0161")
        }
        #expect(
            try merged.jsonString(options: encoding)
                == "{\"@type\":\"\(url)\",\"child\":{\"int32Value\":5,\"uint64Value\":\"7\"}}"
        )
        let broken = Google_Protobuf_Any.with {
            $0.typeURL = url
            $0.value = hexBytes("0801")
        }
        #expect(throws: Never.self) { try broken.jsonString(options: encoding) }
        let truncated = Google_Protobuf_Any.with {
            $0.typeURL = url
            $0.value = [0x09]
        }
        #expect(throws: ProtobufError.self) { try truncated.jsonString(options: encoding) }
        let unknown = #expect(throws: ProtobufError.self) { try merged.jsonString() }
        #expect(unknown?.code == .unknownType)
    }

    @Test("a packed message may be as deep as another, in lists too, before and behind its type")
    func depthInside() throws {
        let (encoding, decoding) = options()
        var message = Tests_Everything()
        for _ in 0..<97 {
            let inner = message
            message = .with { $0.children = [inner] }
        }
        let any = try Google_Protobuf_Any(message: message)
        let text = try any.jsonString(options: encoding)
        #expect(try Google_Protobuf_Any(jsonString: text, options: decoding) == any)
        let list = text.dropFirst(
            text.utf8.firstIndex(of: UInt8(ascii: ",")).map {
                text.utf8.distance(from: text.startIndex, to: $0) + 1
            } ?? 0
        )
        let other = "{" + list.dropLast() + ",\"@type\":\"\(any.typeURL)\"}"
        #expect(try Google_Protobuf_Any(jsonString: other, options: decoding) == any)
    }

    @Test("messages packed in each other are limited in depth when they are written")
    func depth() throws {
        var any = try Google_Protobuf_Any(message: Google_Protobuf_Empty())
        for _ in 0..<300 { any = try Google_Protobuf_Any(message: any) }
        let error = #expect(throws: ProtobufError.self) { try any.jsonString() }
        #expect(error?.code == .tooDeep)
    }
}
