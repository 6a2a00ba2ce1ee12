internal import NetpollProtobuf

extension Parser {
    /// An option, `option name = value;` or `name = value` in brackets.
    ///
    /// Its value is interpreted later, when its type is known.
    mutating func parseOption(_ parent: Element, index: Int, isStatement: Bool) throws(Failure)
        -> Google_Protobuf_UninterpretedOption
    {
        let element = open(
            path(parent, PathNumber.Option.uninterpreted, Int32(clamping: index))
        )
        if isStatement { try expect("option") }
        var option = Google_Protobuf_UninterpretedOption()
        let name = open(path(element, PathNumber.Option.name))
        repeat {
            let part = open(path(name, Int32(clamping: option.name.count)))
            option.name.append(try parseNamePart(part))
            close(part)
        } while take(".")
        close(name)
        try expect("=")
        var value = open(element.path)
        try parseOptionValue(&option, &value)
        close(value)
        if isStatement { try expectEnd(";", of: element) }
        close(element)
        return option
    }

    private mutating func parseNamePart(_ element: Element) throws(Failure)
        -> Google_Protobuf_UninterpretedOption.NamePart
    {
        var part = Google_Protobuf_UninterpretedOption.NamePart()
        let path = path(element, PathNumber.Option.namePart)
        part.isExtension = take("(")
        guard part.isExtension else {
            part.namePart = try record(path) { (parser) throws(Failure) in
                try parser.identifier("an option name")
            }
            return part
        }
        part.namePart = try record(path) { (parser) throws(Failure) in
            var name = ""
            if parser.token.kind == .identifier { name = try parser.identifier("an option name") }
            while parser.take(".") { name += "." + (try parser.identifier("an option name")) }
            return name
        }
        try expect(")")
        return part
    }

    private mutating func parseOptionValue(
        _ option: inout Google_Protobuf_UninterpretedOption,
        _ element: inout Element
    ) throws(Failure) {
        let isNegative = take("-")
        switch token.kind {
        case .start, .end: throw fail("the end of the file is where an option's value should be")
        case .identifier:
            locations.append(PathNumber.Option.identifierValue, to: &element)
            if isNegative { throw fail("an identifier cannot have a '-'") }
            option.identifierValue = try identifier("an identifier")
        case .integer where isNegative:
            let magnitude = try integer("an integer", max: UInt64(Int64.max) + 1)
            locations.append(PathNumber.Option.negativeIntValue, to: &element)
            option.negativeIntValue = Int64(truncatingIfNeeded: 0 &- magnitude)
        case .integer:
            let value = try integer("an integer", max: .max)
            locations.append(PathNumber.Option.positiveIntValue, to: &element)
            option.positiveIntValue = value
        case .float:
            locations.append(PathNumber.Option.doubleValue, to: &element)
            let value = NumberLiteral.double(token.text)
            option.doubleValue = isNegative ? -value : value
            advance()
        case .string:
            locations.append(PathNumber.Option.stringValue, to: &element)
            if isNegative { throw fail("a string cannot have a '-'") }
            option.stringValue = try string("a string")
        case .symbol:
            guard isAt("{") else {
                throw fail("expected the value of an option but found \(token.shown)")
            }
            locations.append(PathNumber.Option.aggregateValue, to: &element)
            option.aggregateValue = try parseAggregate()
        }
    }

    /// The tokens between braces, with one space between them.
    private mutating func parseAggregate() throws(Failure) -> String {
        advance()
        var depth = 1
        var text: [UInt8] = []
        while token.kind != .end {
            if isAt("{") { depth += 1 }
            if isAt("}") { depth -= 1 }
            if depth == 0 {
                advance()
                return String(decoding: text, as: UTF8.self)
            }
            if !text.isEmpty { text.append(0x20) }
            text += aggregateBytes(of: token)
            advance()
        }
        throw fail("the end of the file is inside of an option's value, a '}' is missing")
    }

    /// A token as it stands in the file, save that bytes which are not UTF-8 become escapes, as they
    /// may in a string.
    private func aggregateBytes(of token: Token) -> [UInt8] {
        let bytes = bytes(of: token)
        guard token.kind == .string, String(validating: bytes, as: UTF8.self) == nil else {
            return Array(bytes)
        }
        return bytes.flatMap { byte -> [UInt8] in
            guard byte >= 0x80 else { return [byte] }
            return [0x5C, 0x30 + (byte >> 6), 0x30 + (byte >> 3 & 7), 0x30 + (byte & 7)]
        }
    }
}
