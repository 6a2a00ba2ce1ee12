import NetpollProtobuf
import TestProtos
import Testing

@Suite("JSON decoding")
struct JSONDecodingTests {
    @Test("every kind of field is read from what the encoder writes")
    func everything() throws {
        #expect(try Tests_Everything(jsonString: JSONSample.everything) == EverythingSample.message)
    }

    private static let spellings: [(text: String, message: Tests_Everything)] = {
        var cases: [(text: String, message: Tests_Everything)] = []
        func add(_ text: String, _ fill: (inout Tests_Everything) -> Void) {
            cases.append((text, .with(fill)))
        }
        // Names as in the .proto file, in lowerCamelCase and with escapes.
        add(#"{"int32_value":1}"#) { $0.int32Value = 1 }
        add(#"{"int32V\u0061lue":1}"#) { $0.int32Value = 1 }
        add(" \t\r\n{ \"int32Value\" : 1 , \"int64Value\" : 2 } \n") {
            $0.int32Value = 1
            $0.int64Value = 2
        }
        // Whole numbers.
        add(#"{"int32Value":2147483647}"#) { $0.int32Value = .max }
        add(#"{"int32Value":-2147483648}"#) { $0.int32Value = .min }
        add(#"{"int32Value":-2.147483648e9}"#) { $0.int32Value = .min }
        add(#"{"int32Value":"1e5"}"#) { $0.int32Value = 100_000 }
        add(#"{"int32Value":100000.000}"#) { $0.int32Value = 100_000 }
        add(#"{"int32Value":1200e-2}"#) { $0.int32Value = 12 }
        add(#"{"int32Value":0.00012E+5}"#) { $0.int32Value = 12 }
        add(#"{"int32Value":"2\u0031"}"#) { $0.int32Value = 21 }
        add(#"{"int32Value":-0}"#) { _ in }
        add(#"{"int32Value":0e99999999999999999999}"#) { _ in }
        add(#"{"uint32Value":4.294967295e9}"#) { $0.uint32Value = .max }
        add(#"{"int64Value":"-9223372036854775808"}"#) { $0.int64Value = .min }
        add(#"{"int64Value":-9223372036854775808}"#) { $0.int64Value = .min }
        add(#"{"int64Value":"9223372036854775807"}"#) { $0.int64Value = .max }
        add(#"{"uint64Value":"18446744073709551615"}"#) { $0.uint64Value = .max }
        add(#"{"uint64Value":18446744073709551615.0}"#) { $0.uint64Value = .max }
        add(#"{"sint64Value":"-1","sint32Value":-7}"#) {
            $0.sint64Value = -1
            $0.sint32Value = -7
        }
        add(#"{"sfixed64Value":"-1","sfixed32Value":-7}"#) {
            $0.sfixed64Value = -1
            $0.sfixed32Value = -7
        }
        // Floating-point numbers.
        add(#"{"floatValue":3.402823e+38}"#) { $0.floatValue = 3.402823e+38 }
        add(#"{"floatValue":"-1.17549435e-38"}"#) { $0.floatValue = -.leastNormalMagnitude }
        add(#"{"doubleValue":"1"}"#) { $0.doubleValue = 1 }
        add(#"{"doubleValue":"-Infinity"}"#) { $0.doubleValue = -.infinity }
        add(#"{"floatValue":"Infinity"}"#) { $0.floatValue = .infinity }
        add(#"{"doubleValue":1e-999}"#) { _ in }
        add(#"{"doubleValue":-0}"#) { $0.doubleValue = -0.0 }
        // Enums by name and number; of an alias, the number counts.
        add(#"{"color":"COLOR_VERT"}"#) { $0.color = .green }
        add(#"{"color":2}"#) { $0.color = .green }
        add(#"{"color":-1.0}"#) { $0.color = .negative }
        add(#"{"color":123}"#) { $0.color = .UNRECOGNIZED(123) }
        // Strings.
        add(#"{"stringValue":"\"\\\/\b\f\n\r\t\u0000"}"#) {
            $0.stringValue = "\"\\/\u{8}\u{c}\n\r\t\0"
        }
        add(#"{"stringValue":"\u8C37\u6b4C\uD83D\uDE01"}"#) { $0.stringValue = "谷歌😁" }
        add(#"{"stringValue":"\ud83d\ude01\u0041"}"#) { $0.stringValue = "😁A" }
        // Base64 of both alphabets, with and without padding.
        add(#"{"bytesValue":"-_"}"#) { $0.bytesValue = [0xFB] }
        add(#"{"bytesValue":"AQI="}"#) { $0.bytesValue = [1, 2] }
        add(#"{"bytesValue":"AQI"}"#) { $0.bytesValue = [1, 2] }
        add(#"{"bytesValue":"AA=="}"#) { $0.bytesValue = [0] }
        add(#"{"bytesValue":"+/\u002b\/"}"#) { $0.bytesValue = [0xFB, 0xFF, 0xBF] }
        // Lists, maps and null.
        add(#"{"int32List":[]}"#) { _ in }
        add(#"{"int32List":null,"stringMap":null,"point":null,"color":null}"#) { _ in }
        add(#"{"colorMap":{"tr\u0075e":"COLOR_RED","false":2}}"#) {
            $0.colorMap = [true: .red, false: .green]
        }
        add(#"{"bytesMap":{"18446744073709551615":""}}"#) { $0.bytesMap = [.max: []] }
        add(#"{"choiceNumber":null,"choiceText":"t"}"#) { $0.choiceText = "t" }
        add(#"{"choiceText":"t","choiceNumber":null}"#) { $0.choiceText = "t" }
        add(#"{"choiceNumber":0}"#) { $0.choiceNumber = 0 }
        add(#"{"choicePoint":{}}"#) { $0.choicePoint = .init() }
        add(#"{"optionalInt32":0,"optionalString":""}"#) {
            $0.optionalInt32 = 0
            $0.optionalString = ""
        }
        return cases
    }()

    @Test(
        "names, numbers and strings may be written in every way that JSON allows",
        arguments: spellings
    )
    func accepted(text: String, message: Tests_Everything) throws {
        #expect(try Tests_Everything(jsonString: text) == message)
    }

    @Test(
        "text that is not JSON is refused",
        arguments: [
            "", " ", "{", "}", "[]", "{]", "{\"a\"", "{\"int32Value\":1", "{\"int32Value\":1]",
            "{} {}", "{}x", "{},", "nul", "nulll", "\u{FEFF}{}", "{int32Value:1}",
            "{'int32Value':1}", #"{"stringValue":'a'}"#, #"{"int32Value":1,}"#,
            #"{"int32Value":1 , }"#, #"{,"int32Value":1}"#, #"{"int32Value":1 "int64Value":2}"#,
            #"{"int32Value" 1}"#, #"{"int32Value"::1}"#, "{// no\n}", "{/* no */}",
            #"{"int32List":[1,]}"#, #"{"int32List":[1 ,]}"#, #"{"int32List":[,1]}"#,
            #"{"int32List":[1 2]}"#, #"{"int32List":[1}"#, #"{"int32Value":+1}"#,
            #"{"int32Value":01}"#, #"{"int32Value":-01}"#, #"{"int32Value":1.}"#,
            #"{"int32Value":.5}"#, #"{"int32Value":1e}"#, #"{"int32Value":1e+}"#,
            #"{"int32Value":-}"#, #"{"int32Value":0x10}"#, #"{"doubleValue":NaN}"#,
            #"{"doubleValue":-Infinity}"#, #"{"boolValue":True}"#, #"{"boolValue":truex}"#,
            #"{"boolValue":FALSE}"#, #"{"color":COLOR_RED}"#, "{\"stringValue\":\"a\nb\"}",
            "{\"stringValue\":\"\0\"}", #"{"stringValue":"abc\"#, #"{"stringValue":"\U8C37"}"#,
            #"{"stringValue":"\x41"}"#, #"{"stringValue":"\uXXXX"}"#, #"{"stringValue":"\u8C3"}"#,
            #"{"stringValue":"\uD800"}"#, #"{"stringValue":"\uDC00"}"#,
            #"{"stringValue":"\uDE01\uD83D"}"#, #"{"stringValue":"\uD83D\n"}"#,
            #"{"stringValue":"\uD83Dx"}"#, #"{"stringValue":"\uD83D\u0041"}"#,
            #"{"pointMap":{1:{}}}"#, #"{"pointMap":{null:{}}}"#,
        ]
    )
    func notJSON(text: String) {
        let error = #expect(throws: ProtobufError.self) { try Tests_Everything(jsonString: text) }
        let codes = [ProtobufError.Code.malformed, .truncated, .invalidValue]
        #expect(error.map { codes.contains($0.code) } == true, "\(error.map { "\($0)" } ?? "none")")
        #expect(error?.offset.map { $0 <= text.utf8.count } == true)
    }

    @Test(
        "values that do not fit their field are refused",
        arguments: [
            "null", "1", "\"x\"", #"{"int32Value":2147483648}"#, #"{"int32Value":-2147483649}"#,
            #"{"uint32Value":4294967296}"#, #"{"uint32Value":-1}"#,
            #"{"int64Value":"9223372036854775808"}"#, #"{"int64Value":"-9223372036854775809"}"#,
            #"{"uint64Value":"18446744073709551616"}"#, #"{"uint64Value":"1e536870000"}"#,
            #"{"uint64Value":1e20}"#, #"{"int32Value":0.5}"#, #"{"int64Value":"0.5"}"#,
            #"{"int32Value":1e-1}"#, #"{"int32Value":"3x3"}"#, #"{"int32Value":" 1"}"#,
            #"{"int32Value":"1 "}"#, #"{"int32Value":""}"#, #"{"int32Value":"12,34"}"#,
            #"{"int32Value":"12谷歌34"}"#, #"{"int32Value":"+1"}"#, #"{"int32Value":"01"}"#,
            #"{"int32Value":"NaN"}"#, #"{"int32Value":true}"#, #"{"int32Value":{}}"#,
            #"{"floatValue":3.502823e+38}"#, #"{"floatValue":-3.502823e+38}"#,
            #"{"doubleValue":1.89769e+308}"#, #"{"doubleValue":""}"#, #"{"doubleValue":"12abc"}"#,
            #"{"doubleValue":"nan"}"#, #"{"doubleValue":"inf"}"#, #"{"doubleValue":"0x1p3"}"#,
            #"{"doubleValue":"+Infinity"}"#, #"{"boolValue":0}"#, #"{"boolValue":"true"}"#,
            #"{"stringValue":12345}"#, #"{"stringValue":[]}"#, #"{"color":"COLOR_BLUE"}"#,
            #"{"color":"2"}"#, #"{"color":2147483648}"#, #"{"color":1.5}"#, #"{"color":true}"#,
            #"{"bytesValue":"A"}"#, #"{"bytesValue":"AQI=="}"#, #"{"bytesValue":"AQ="}"#,
            #"{"bytesValue":"A=Q="}"#, #"{"bytesValue":"AQ I"}"#, #"{"bytesValue":"===="}"#,
            #"{"bytesValue":5}"#, #"{"int32List":1}"#, #"{"points":{"x":1}}"#, #"{"point":[]}"#,
            #"{"int32List":[1,null,2]}"#, #"{"points":[{},null]}"#, #"{"int32List":[1,false]}"#,
            #"{"strings":["1",2]}"#, #"{"points":[{},"2"]}"#, #"{"stringMap":[]}"#,
            #"{"stringMap":{"a":null}}"#, #"{"pointMap":{"x":{}}}"#, #"{"pointMap":{"":{}}}"#,
            #"{"pointMap":{"1.5":{}}}"#, #"{"colorMap":{"True":0}}"#, #"{"bytesMap":{"-1":""}}"#,
        ]
    )
    func notFitting(text: String) {
        let error = #expect(throws: ProtobufError.self) { try Tests_Everything(jsonString: text) }
        #expect(error?.code == .invalidValue, "\(error.map { "\($0)" } ?? "no error")")
    }

    @Test(
        "no field, key or oneof has two values",
        arguments: [
            #"{"int32Value":1,"int32Value":1}"#, #"{"int32Value":1,"int32_value":1}"#,
            #"{"point":{},"point":null}"#, #"{"choiceNumber":1,"choiceText":"a"}"#,
            #"{"choicePoint":{},"choiceSelf":{}}"#, #"{"stringMap":{"a":"1","\u0061":"1"}}"#,
            #"{"pointMap":{"1":{},"1.0":{}}}"#, #"{"class":"a","class":"b"}"#,
        ]
    )
    func duplicates(text: String) {
        let error = #expect(throws: ProtobufError.self) { try Tests_Everything(jsonString: text) }
        #expect(error?.code == .duplicateField, "\(error.map { "\($0)" } ?? "no error")")
    }

    @Test(
        "unknown names are an error, or skipped with all that belongs to them",
        arguments: [
            (#"{"unknown":{"a":[1,"]",{"b":null}],"c":-1.5e3},"int32Value":5}"#, 5),
            (#"{"unknown":true,"unknown":false}"#, 0), (#"{"[some.extension]":1}"#, 0),
            (#"{"point":{"z":[]}}"#, 0), (#"{"color":"COLOR_BLUE"}"#, 0),
            (#"{"colors":["COLOR_BLUE"],"colorMap":{"true":"COLOR_BLUE"}}"#, 0),
        ] as [(String, Int32)]
    )
    func unknown(text: String, value: Int32) throws {
        #expect(throws: ProtobufError.self) { try Tests_Everything(jsonString: text) }
        var options = JSONDecodingOptions()
        options.ignoreUnknownFields = true
        var message = try Tests_Everything(jsonString: text, options: options)
        message.clearPoint()
        #expect(message == .with { $0.int32Value = value })
    }

    @Test("of lists and maps only the names that an enum does not know are skipped")
    func unknownEnumNames() throws {
        var options = JSONDecodingOptions()
        options.ignoreUnknownFields = true
        let text =
            #"{"colors":["COLOR_RED","BLUE",2],"colorMap":{"true":"BLUE","false":"COLOR_RED"}}"#
        let message = try Tests_Everything(jsonString: text, options: options)
        #expect(message.colors == [.red, .green] && message.colorMap == [false: .red])
        let broken = #"{"unknown":[1,}"#
        let error = #expect(throws: ProtobufError.self) {
            try Tests_Everything(jsonString: broken, options: options)
        }
        #expect(error?.code == .malformed)
    }

    @Test("a closed enum refuses numbers that it does not know")
    func closedEnums() throws {
        let text = #"{"name":"n","shade":-3,"shades":[1,"SHADE_LIGHT"],"tintMap":{"a":1}}"#
        let message = try Tests_Legacy(jsonString: text)
        #expect(message.shade == .negative && message.shades == [.dark, .light])
        #expect(message.tintMap == ["a": .red])
        let unknown = #"{"name":"n","shade":99,"shades":[1,99],"tintMap":{"a":99}}"#
        let error = #expect(throws: ProtobufError.self) { try Tests_Legacy(jsonString: unknown) }
        #expect(error?.code == .invalidValue)
        var options = JSONDecodingOptions()
        options.ignoreUnknownFields = true
        let skipped = try Tests_Legacy(jsonString: unknown, options: options)
        #expect(!skipped.hasShade && skipped.shades == [.dark] && skipped.tintMap.isEmpty)
        #expect(skipped.unknownFields.isEmpty)
    }

    @Test("a required field must have a value, unless the message may be partial")
    func required() throws {
        let text = #"{"parts":[{"label":"l"}]}"#
        let error = #expect(throws: ProtobufError.self) { try Tests_Legacy(jsonString: text) }
        #expect(error?.code == .missingRequiredField)
        #expect(try Tests_Legacy(jsonString: text, partial: true).parts[0].label == "l")
    }

    @Test(
        "an error names the field and the place",
        arguments: [
            (
                #"{"children":[{},{"point":{"x":true}}]}"#, "tests.Everything.children[1].point.x",
                30
            ),
            (#"{"pointMap":{"-4":{"y":"a"}}}"#, #"tests.Everything.pointMap["-4"].y"#, 23),
            (#"{"int32List":[1,2,x]}"#, "tests.Everything.int32List[2]", 18),
            (#"{"oops":1}"#, "tests.Everything.oops", 1), ("[", "tests.Everything", 0),
        ]
    )
    func places(text: String, path: String, offset: Int) {
        let error = #expect(throws: ProtobufError.self) { try Tests_Everything(jsonString: text) }
        #expect(error?.path == path && error?.offset == offset, "\(error.map { "\($0)" } ?? "")")
    }
}
