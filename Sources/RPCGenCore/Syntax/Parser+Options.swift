internal import NetpollProtobuf

extension Parser {
    /// `option name = value` without the semicolon; the keyword was taken.
    mutating func parseOption() throws(Failure) -> Google_Protobuf_UninterpretedOption {
        var option = Google_Protobuf_UninterpretedOption()
        repeat { option.name.append(try parseOptionNamePart()) } while take(".")
        try expect("=")
        try parseOptionValue(&option)
        return option
    }

    private mutating func parseOptionNamePart() throws(Failure)
        -> Google_Protobuf_UninterpretedOption.NamePart
    {
        var part = Google_Protobuf_UninterpretedOption.NamePart()
        part.isExtension = take("(")
        if part.isExtension {
            part.namePart = try qualifiedName("an option name", mayBeAbsolute: true)
            try expect(")")
        } else {
            part.namePart = try identifier("an option name")
        }
        return part
    }

    private mutating func parseOptionValue(_ option: inout Google_Protobuf_UninterpretedOption)
        throws(Failure)
    {
        let isNegative = take("-")
        switch token.kind {
        case .integer(let value) where !isNegative:
            option.positiveIntValue = value
            advance()
        case .integer(let value):
            guard value <= UInt64(Int64.max) + 1 else { throw fail("an integer is out of range") }
            option.negativeIntValue = Int64(truncatingIfNeeded: 0 &- value)
            advance()
        case .float(let value):
            option.doubleValue = isNegative ? -value : value
            advance()
        case .identifier("inf") where isNegative:
            option.doubleValue = -.infinity
            advance()
        case .identifier(let name) where !isNegative:
            option.identifierValue = name
            advance()
        case .string where !isNegative: option.stringValue = try stringLiteral("a string")
        case .symbol(UInt8(ascii: "{")) where !isNegative:
            option.aggregateValue = try parseAggregate()
        default: throw fail("expected an option value but found \(token.shown)")
        }
    }

    /// The text between braces, token by token; it is checked when options are interpreted.
    private mutating func parseAggregate() throws(Failure) -> String {
        try expect("{")
        var depth = 1
        var parts: [String] = []
        while true {
            guard token.kind != .end else { throw fail("an option value has no '}'") }
            if isAt("{") { depth += 1 }
            if isAt("}") { depth -= 1 }
            let current = advance()
            if depth == 0 { return parts.joined(separator: " ") }
            switch current.kind {
            case .identifier(let name): parts.append(name)
            case .integer(let value): parts.append("\(value)")
            case .float(let value): parts.append("\(value)")
            case .string(let bytes): parts.append("\"\(CEscape.text(bytes))\"")
            case .symbol(let byte): parts.append(String(Character(Unicode.Scalar(byte))))
            case .end: break
            }
        }
    }

    /// `[name = value, ...]` behind a field or enum value, if there is one.
    mutating func parseBracketOptions(
        _ body: (inout Parser, Google_Protobuf_UninterpretedOption, SourceLocation) throws(Failure)
            -> Void
    ) throws(Failure) {
        guard take("[") else { return }
        repeat {
            let start = token.location
            let option = try parseOption()
            try body(&self, option, start)
        } while take(",")
        try expect("]")
    }
}

extension Google_Protobuf_UninterpretedOption {
    /// The name, if it is a single word and no extension.
    var simpleName: String? { name.count == 1 && !name[0].isExtension ? name[0].namePart : nil }

    /// The value as `true` or `false`.
    var boolean: Bool? {
        guard hasIdentifierValue else { return nil }
        return identifierValue == "true" ? true : identifierValue == "false" ? false : nil
    }
}

/// Bytes as text of a C string literal.
enum CEscape {
    static func text(_ bytes: [UInt8]) -> String {
        var result = ""
        for byte in bytes {
            switch byte {
            case 0x0A: result += "\\n"
            case 0x0D: result += "\\r"
            case 0x09: result += "\\t"
            case 0x22: result += "\\\""
            case 0x27: result += "\\'"
            case 0x5C: result += "\\\\"
            case 0x20..<0x7F: result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 8)
                result += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
            }
        }
        return result
    }
}
