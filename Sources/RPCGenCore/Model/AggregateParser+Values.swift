internal import NetpollProtobuf

extension AggregateParser {
    mutating func parseValue(of field: SymbolTable.Field) throws(Failure) -> WireValue {
        switch field.type {
        case .message, .group:
            guard let type = field.typeID else { throw fail("a field has no type") }
            let bytes = try parseMessage(type)
            return field.type == .group ? .group(bytes) : .bytes(bytes)
        case .int32, .sint32, .sfixed32:
            return field.wireValue(try signed(max: UInt64(Int32.max)))
        case .int64, .sint64, .sfixed64:
            return field.wireValue(try signed(max: UInt64(Int64.max)))
        case .uint32, .fixed32: return field.wireValue(try unsigned(max: UInt64(UInt32.max)))
        case .uint64, .fixed64: return field.wireValue(try unsigned(max: .max))
        case .float: return .fixed32(NumberLiteral.float(try number()).bitPattern)
        case .double: return .fixed64(try number().bitPattern)
        case .bool: return .varint(try bool() ? 1 : 0)
        case .string, .bytes:
            guard token.kind == .string else {
                throw fail("expected a string but found \(token.shown)")
            }
            var bytes: [UInt8] = []
            while token.kind == .string {
                StringLiteral.append(lexer.bytes(of: token), to: &bytes)
                lexer.advance()
            }
            return .bytes(bytes)
        case .enum: return try enumValue(of: field)
        }
    }

    private mutating func unsigned(max: UInt64) throws(Failure) -> UInt64 {
        guard token.kind == .integer else {
            throw fail("expected an integer but found \(token.shown)")
        }
        guard let value = NumberLiteral.integer(token.text, max: max) else {
            throw fail("the integer \(token.text) is out of range")
        }
        lexer.advance()
        return value
    }

    private mutating func signed(max: UInt64) throws(Failure) -> Int64 {
        let isNegative = take("-")
        let magnitude = try unsigned(max: max + (isNegative ? 1 : 0))
        return Int64(truncatingIfNeeded: isNegative ? 0 &- magnitude : magnitude)
    }

    private mutating func number() throws(Failure) -> Double {
        let isNegative = take("-")
        let value: Double
        switch token.kind {
        case .integer:
            let digits = token.text
            guard digits.utf8.count == 1 || digits.utf8.first != 0x30 else {
                throw fail("expected a decimal number but found \(digits)")
            }
            value = NumberLiteral.integer(digits).map { Double($0) } ?? NumberLiteral.double(digits)
        case .float: value = NumberLiteral.double(token.text)
        case .identifier:
            switch token.text.lowercased() {
            case "inf", "infinity": value = .infinity
            case "nan": value = .nan
            default: throw fail("expected a number but found \(token.shown)")
            }
        default: throw fail("expected a number but found \(token.shown)")
        }
        lexer.advance()
        return isNegative ? -value : value
    }

    private mutating func bool() throws(Failure) -> Bool {
        if token.kind == .integer { return try unsigned(max: 1) == 1 }
        switch try identifier() {
        case "true", "True", "t": return true
        case "false", "False", "f": return false
        case let other: throw fail("expected \"true\" or \"false\" but found '\(other)'")
        }
    }

    private mutating func enumValue(of field: SymbolTable.Field) throws(Failure) -> WireValue {
        guard let type = field.typeID else { throw fail("a field has no type") }
        if token.kind == .identifier {
            let name = try identifier()
            guard let value = table.value(name, of: type) else {
                throw fail("enum type \"\(table.shownName(type))\" has no value named \"\(name)\"")
            }
            return .varint(UInt64(bitPattern: Int64(table.enumValue(value).number)))
        }
        let number = try signed(max: UInt64(Int32.max))
        // An open enum takes any number.
        guard
            field.isProto3
                || table.enumeration(type).numbers.contains(Int32(truncatingIfNeeded: number))
        else { throw fail("enum type \"\(table.shownName(type))\" has no value \(number)") }
        return .varint(UInt64(bitPattern: number))
    }
}
