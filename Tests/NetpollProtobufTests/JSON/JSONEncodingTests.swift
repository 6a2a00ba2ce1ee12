import NetpollProtobuf
import TestProtos
import Testing

@Suite("JSON encoding")
struct JSONEncodingTests {
    @Test("every kind of field is written in the form that the specification gives it")
    func everything() throws {
        var options = JSONEncodingOptions()
        options.useDeterministicOrdering = true
        #expect(try EverythingSample.message.jsonString(options: options) == JSONSample.everything)
    }

    @Test("a message without values is an empty object")
    func empty() throws {
        #expect(try Tests_Everything().jsonString() == "{}")
        #expect(try Tests_Everything().jsonUTF8Bytes() == Array("{}".utf8))
    }

    @Test(
        "numbers have as few digits as bring the same bits back",
        arguments: [
            (0.1, "0.1"), (-1.0, "-1"), (1e300, "1e+300"), (.leastNonzeroMagnitude, "5e-324"),
            (.infinity, "\"Infinity\""), (-.infinity, "\"-Infinity\""), (.nan, "\"NaN\""),
            (-0.0, "-0"), (1.7976931348623157e308, "1.7976931348623157e+308"),
        ] as [(Double, String)]
    )
    func doubles(value: Double, text: String) throws {
        let message = Tests_Everything.with { $0.doubleValue = value }
        #expect(try message.jsonString() == "{\"doubleValue\":\(text)}")
    }

    @Test("a float is written with the digits of a float")
    func floats() throws {
        let message = Tests_Everything.with { $0.floats = [0.1, 16_777_216, -.infinity] }
        #expect(try message.jsonString() == #"{"floats":[0.1,16777216,"-Infinity"]}"#)
    }

    @Test(
        "quotes, backslashes and control characters are escaped, all else stays",
        arguments: [
            ("\"\\/", #""\"\\/""#), ("\u{8}\t\n\u{c}\r", #""\b\t\n\f\r""#),
            ("\0\u{1f}\u{7f}", #""\u0000\u001f\u007f""#), ("grüße 谷歌 😁", "\"grüße 谷歌 😁\""),
            ("</script>", "\"</script>\""),
        ]
    )
    func strings(value: String, text: String) throws {
        let message = Tests_Everything.with { $0.stringValue = value }
        #expect(try message.jsonString() == "{\"stringValue\":\(text)}")
    }

    @Test(
        "bytes are Base64 with padding",
        arguments: [
            ([], ""), ([0], "AA=="), ([1, 2], "AQI="), ([0, 1, 2], "AAEC"),
            ([0xFB, 0xFF, 0xFE], "+//+"),
        ] as [([UInt8], String)]
    )
    func bytes(value: [UInt8], text: String) throws {
        let message = Tests_Everything.with { $0.byteStrings = [value] }
        #expect(try message.jsonString() == "{\"byteStrings\":[\"\(text)\"]}")
    }

    @Test("a number that an enum does not know is written as a number")
    func unknownEnumNumbers() throws {
        let message = Tests_Everything.with { $0.colors = [.red, .UNRECOGNIZED(77), .green] }
        #expect(try message.jsonString() == #"{"colors":["COLOR_RED",77,"COLOR_GREEN"]}"#)
        var options = JSONEncodingOptions()
        options.alwaysPrintEnumsAsInts = true
        #expect(try message.jsonString(options: options) == #"{"colors":[1,77,2]}"#)
    }

    @Test("options choose names and numbers")
    func options() throws {
        let message = Tests_JSONForms.with {
            $0.renamed = "x"
            $0.odd_Name_ = 1
            $0.kept = 0
        }
        #expect(try message.jsonString() == #"{"@other name":"x","OddName":1,"kept":0}"#)
        var options = JSONEncodingOptions()
        options.preserveProtoFieldNames = true
        #expect(
            try message.jsonString(options: options)
                == #"{"renamed":"x","_odd__name_":1,"kept":0}"#
        )
        options.alwaysPrintInt64sAsNumbers = true
        let numbers = Tests_Everything.with {
            $0.int64Value = .min
            $0.uint64Value = .max
        }
        #expect(
            try numbers.jsonString(options: options)
                == #"{"int64_value":-9223372036854775808,"uint64_value":18446744073709551615}"#
        )
    }

    @Test("fields without presence are written at their defaults only when asked for")
    func defaults() throws {
        var options = JSONEncodingOptions()
        options.alwaysPrintFieldsWithNoPresence = true
        #expect(try Tests_Right().jsonString(options: options) == #"{"number":0}"#)
        let text = try Tests_Everything().jsonString(options: options)
        for part in [
            #""doubleValue":0,"#, #""int64Value":"0","#, #""stringValue":"","#, #""color":"COLOR_"#,
            #""boolValue":false,"#, #""bytesValue":"","#, #""doubles":[],"#, #""stringMap":{},"#,
        ] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
        for name in ["optionalInt32", "optionalColor", "point", "choiceNumber", "child"] {
            #expect(!text.contains("\"\(name)\""))
        }
        let legacy = try Tests_Legacy.with { $0.name = "n" }.jsonString(options: options)
        #expect(
            legacy == #"{"name":"n","shades":[],"packedShades":[],"loose":[],"packed":[],"#
                + #""parts":[],"tintMap":{},"partMap":{}}"#
        )
    }

    @Test("unknown fields are left out, whatever is in them")
    func unknownFields() throws {
        var message = Tests_Everything.with { $0.int32Value = 5 }
        // Field 1371 as a number and as a group, and fields 3 and 14 with other wire types.
        message.unknownFields.bytes = hexBytes("f85501 fb550801fc55 1a0161 750d000000")
        #expect(try message.jsonString() == #"{"int32Value":5}"#)
    }

    @Test("numbers that a closed enum does not know are unknown fields")
    func closedEnums() throws {
        // Shade 99 alone, in both lists, and as the value of a map.
        let bytes = hexBytes(
            "0a016e 5863 6801 6863 7202 0263 9a0105 0a0161 1063 9a0105 0a0162 1001"
        )
        let message = try Tests_Legacy(serializedBytes: bytes, partial: true)
        #expect(
            try message.jsonString()
                == #"{"name":"n","shades":["SHADE_DARK"],"packedShades":["SHADE_LIGHT"],"#
                + #""tintMap":{"b":"TINT_RED"}}"#
        )
    }

    @Test("a required field must have a value, unless the message may be partial")
    func required() throws {
        let message = Tests_Legacy.with { $0.parts = [.init()] }
        let error = #expect(throws: ProtobufError.self) { try message.jsonString() }
        #expect(error?.code == .missingRequiredField)
        #expect(try message.jsonString(partial: true) == #"{"parts":[{}]}"#)
    }

    @Test("groups are written like messages")
    func groups() throws {
        let message = Tests_Grouped.with {
            $0.single.inner.text = "t"
            $0.many = [.with { $0.number = 1 }, .with { $0.number = 2 }]
            $0.chosen.again.needed = .init()
            $0.needed = .init()
        }
        let text = try message.jsonString()
        #expect(
            text == #"{"single":{"inner":{"text":"t"}},"chosen":{"again":{"needed":{}}},"#
                + #""needed":{},"many":[{"number":1},{"number":2}]}"#
        )
        #expect(try Tests_Grouped(jsonString: text) == message)
    }

    @Test("nesting is limited, and the limit can be raised")
    func nesting() throws {
        var message = Tests_Everything()
        for _ in 0..<150 {
            let inner = message
            message = .with { $0.child = inner }
        }
        let error = #expect(throws: ProtobufError.self) { try message.jsonString() }
        #expect(error?.code == .tooDeep)
        var options = JSONEncodingOptions()
        options.messageDepthLimit = 151
        #expect(try message.jsonString(options: options).count == 150 * #"{"child":}"#.count + 2)
    }
}

enum JSONSample {
    static let everything =
        #"{"doubleValue":1.5,"floatValue":-2.25,"int32Value":-3,"int64Value":"-1099511627776","#
        + #""uint32Value":4000000000,"uint64Value":"18446744073709551615","sint32Value":-5,"#
        + #""sint64Value":"-1125899906842624","fixed32Value":7,"fixed64Value":"8","#
        + #""sfixed32Value":-9,"sfixed64Value":"-10","boolValue":true,"#
        + #""stringValue":"grüße\u0000!","bytesValue":"AP8=","color":"COLOR_NEGATIVE","#
        + #""point":{"x":-1,"y":2},"level":"LEVEL_HIGH","child":{"stringValue":"child"},"#
        + #""optionalInt32":0,"optionalString":"","doubles":[0,-0,1e+300],"floats":[0.5],"#
        + #""int32List":[1,-1,1073741824],"int64List":["1","-1"],"uint32List":[2147483648],"#
        + #""sint64List":["-1","1"],"fixed32List":[1,2],"sfixed64List":["-1"],"#
        + #""bools":[true,false,true],"strings":["a","","b"],"byteStrings":["eA==",""],"#
        + #""colors":["COLOR_UNSPECIFIED","COLOR_RED","COLOR_GREEN",77],"points":[{"x":3},{}],"#
        + #""children":[{"int32Value":9}],"stringMap":{"k":"v"},"pointMap":{"-4":{"x":6}},"#
        + #""colorMap":{"true":"COLOR_GREEN"},"bytesMap":{"1152921504606846976":"eg=="},"#
        + #""choicePoint":{"y":11},"class":"c","self":"s","description":"d","userId":"u","#
        + #""httpUrl":"h","nested":{"deeper":{"text":"deep"}}}"#
}
