internal import NetpollProtobuf

extension Parser {
    private static let enumNumbers: ClosedRange<Int64> = Int64(Int32.min)...Int64(Int32.max)

    mutating func parseEnum(_ path: [Int32]) throws(Failure) -> Google_Protobuf_EnumDescriptorProto
    {
        let start = advance()
        var result = Google_Protobuf_EnumDescriptorProto()
        let name = token
        result.name = try identifier("an enum name")
        note(
            path,
            Token(kind: name.kind, location: name.location, end: name.end, comment: start.comment)
        )
        // A value that is broken has been reported and does not make the enum empty.
        var isEmpty = true
        try block("enum \(result.name)") { (parser) throws(Failure) in
            if parser.take(word: "option") {
                result.options.uninterpretedOption.append(try parser.parseOption())
                try parser.expect(";")
            } else if parser.isAt(word: "reserved") {
                try parser.parseReserved(&result)
            } else {
                isEmpty = false
                try parser.parseValue(&result, path)
            }
        }
        guard !isEmpty else {
            throw fail("enum \(result.name) has no values", at: start.location)
        }
        return result
    }

    private mutating func parseValue(
        _ result: inout Google_Protobuf_EnumDescriptorProto,
        _ path: [Int32]
    ) throws(Failure) {
        let start = token
        let valuePath = path + [PathNumber.Enum.value, Int32(clamping: result.value.count)]
        var value = Google_Protobuf_EnumValueDescriptorProto()
        value.name = try identifier("an enum value name")
        note(valuePath, start)
        try expect("=")
        file.locations[valuePath + [PathNumber.EnumValue.number]] = token.location
        value.number = Int32(truncatingIfNeeded: try integer("an enum value", in: Self.enumNumbers))
        try parseBracketOptions { (_, option, _) throws(Failure) in
            value.options.uninterpretedOption.append(option)
        }
        try expect(";")
        result.value.append(value)
    }

    private mutating func parseReserved(_ result: inout Google_Protobuf_EnumDescriptorProto)
        throws(Failure)
    {
        advance()
        if case .string = token.kind {
            repeat {
                result.reservedName.append(
                    String(decoding: try stringLiteral("a value name string"), as: UTF8.self)
                )
            } while take(",")
        } else {
            repeat {
                let (start, end) = try parseRange(Self.enumNumbers)
                var range = Google_Protobuf_EnumDescriptorProto.EnumReservedRange()
                range.start = Int32(truncatingIfNeeded: start)
                // Unlike a message's, an enum's reserved range includes its end.
                range.end = Int32(truncatingIfNeeded: end)
                result.reservedRange.append(range)
            } while take(",")
        }
        try expect(";")
    }
}
