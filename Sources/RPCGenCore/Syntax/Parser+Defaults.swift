internal import NetpollProtobuf

extension Parser {
    mutating func parseFieldOptions(
        _ field: inout Google_Protobuf_FieldDescriptorProto,
        _ location: Element
    ) throws(Failure) {
        guard isAt("[") else { return }
        let element = open(path(location, PathNumber.Field.options))
        advance()
        var options: [Google_Protobuf_UninterpretedOption] = []
        repeat {
            if isAt("default") {
                try parseDefault(&field, location)
            } else if isAt("json_name") {
                try parseJSONName(&field, location)
            } else {
                options.append(
                    try parseOption(element, index: options.count, isStatement: false)
                )
            }
        } while take(",")
        try expect("]")
        if !options.isEmpty { field.options.uninterpretedOption = options }
        close(element)
    }

    private mutating func parseJSONName(
        _ field: inout Google_Protobuf_FieldDescriptorProto,
        _ location: Element
    ) throws(Failure) {
        if field.hasJsonName { report("json_name has already been set") }
        let element = open(path(location, PathNumber.Field.jsonName))
        advance()
        try expect("=")
        let value = open(element.path)
        let name = RawText(bytes: try string("a string for the JSON name"))
        field.jsonName = name.text
        name.keep(asField: Int(PathNumber.Field.jsonName), in: &field.unknownFields)
        close(value)
        close(element)
    }

    private mutating func parseDefault(
        _ field: inout Google_Protobuf_FieldDescriptorProto,
        _ location: Element
    ) throws(Failure) {
        if field.hasDefaultValue { report("default has already been set") }
        advance()
        try expect("=")
        let element = open(path(location, PathNumber.Field.defaultValue))
        if field.hasType {
            field.defaultValue = try defaultText(&field)
        } else {
            // Of a type that is not known yet: a value is right only if the type is an enum.
            field.defaultValue =
                token.kind == .string
                ? String(decoding: bytes(of: token), as: UTF8.self) : token.text
            advance()
        }
        close(element)
    }

    /// The default as descriptors hold it.
    private mutating func defaultText(_ field: inout Google_Protobuf_FieldDescriptorProto)
        throws(Failure) -> String
    {
        switch field.type {
        case .int32, .sint32, .sfixed32: return try signedDefault(max: UInt64(Int32.max))
        case .int64, .sint64, .sfixed64: return try signedDefault(max: UInt64(Int64.max))
        case .uint32, .fixed32: return try unsignedDefault(max: UInt64(UInt32.max))
        case .uint64, .fixed64: return try unsignedDefault(max: .max)
        case .float: return NumberText.float(NumberLiteral.float(try numberDefault()))
        case .double: return NumberText.double(try numberDefault())
        case .bool:
            guard isAt("true") || isAt("false") else {
                throw fail("expected \"true\" or \"false\" but found \(token.shown)")
            }
            return try identifier("a default")
        case .string:
            let value = RawText(bytes: try string("a string for the default"))
            value.keep(asField: Int(PathNumber.Field.defaultValue), in: &field.unknownFields)
            return value.text
        case .bytes: return EscapedBytes.encode(try string("a string for the default"))
        case .group, .message, .enum: throw fail("messages cannot have default values")
        }
    }

    private mutating func signedDefault(max: UInt64) throws(Failure) -> String {
        let isNegative = take("-")
        let value = try integer("an integer for the default", max: max + (isNegative ? 1 : 0))
        return isNegative && value != 0 ? "-\(value)" : "\(value)"
    }

    private mutating func unsignedDefault(max: UInt64) throws(Failure) -> String {
        if take("-") { report("the default of an unsigned field cannot be negative") }
        return "\(try integer("an integer for the default", max: max))"
    }

    private mutating func numberDefault() throws(Failure) -> Double {
        let isNegative = take("-")
        let value: Double
        switch (token.kind, token.text) {
        case (.float, let text):
            value = NumberLiteral.double(text)
            advance()
        case (.identifier, "inf"):
            value = .infinity
            advance()
        case (.identifier, "nan"):
            value = .nan
            advance()
        default: value = Double(try integer("a number for the default", max: .max))
        }
        return isNegative ? -value : value
    }
}
