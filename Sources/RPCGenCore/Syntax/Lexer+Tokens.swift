extension Lexer {
    mutating func takeToken() {
        let start = (offset, line, column)
        let kind: Token.Kind
        if takeOne(where: \.isLetter) {
            take(while: { $0.isLetter || $0.isDigit })
            kind = .identifier
        } else if take(0x30) {
            kind = takeNumber(afterZero: true)
        } else if take(0x2E) {
            if takeOne(where: \.isDigit) {
                if previous.kind == .identifier, previous.line == start.1,
                    previous.endColumn == start.2
                {
                    fail("a space is needed between identifier and decimal point", columnOffset: -2)
                }
                kind = takeNumber(afterPoint: true)
            } else {
                kind = .symbol
            }
        } else if takeOne(where: \.isDigit) {
            kind = takeNumber()
        } else if take(0x22) {
            takeString(0x22)
            kind = .string
        } else if take(0x27) {
            takeString(0x27)
            kind = .string
        } else {
            if peek >= 0x80 {
                fail("non-ASCII characters are not allowed outside of strings and comments")
            }
            skip()
            kind = .symbol
        }
        current = token(kind, from: start.0, start.1, start.2)
    }

    private mutating func takeNumber(afterZero: Bool = false, afterPoint: Bool = false)
        -> Token.Kind
    {
        var isFloat = afterPoint
        if afterZero, take(0x78, or: 0x58) {
            if peek.hexadecimalValue == nil { fail("\"0x\" must be followed by hex digits") }
            take(while: { $0.hexadecimalValue != nil })
        } else if afterZero, peek.isDigit {
            take(while: \.isOctalDigit)
            if peek.isDigit {
                fail("a number that begins with 0 must be octal")
                take(while: \.isDigit)
            }
        } else {
            take(while: \.isDigit)
            if !afterPoint, take(0x2E) {
                isFloat = true
                take(while: \.isDigit)
            }
            if take(0x65, or: 0x45) {
                isFloat = true
                _ = take(0x2D, or: 0x2B)
                if !peek.isDigit { fail("\"e\" must be followed by an exponent") }
                take(while: \.isDigit)
            }
        }
        if peek.isLetter {
            fail("a space is needed between number and identifier")
        } else if peek == 0x2E {
            fail(
                isFloat
                    ? "a number has one decimal point, and none in its exponent"
                    : "hex and octal numbers must be integers"
            )
        }
        return isFloat ? .float : .integer
    }

    private mutating func takeString(_ quote: UInt8) {
        while true {
            switch peek {
            case 0: return fail("a string has no end")
            case 0x0A: return fail("a string must end on the line on which it begins")
            case 0x5C:
                skip()
                takeEscape()
            case quote: return skip()
            default: skip()
            }
        }
    }

    /// Checks an escape behind its backslash; what it stands for is found by ``StringLiteral``.
    private mutating func takeEscape() {
        let isHexadecimal: (UInt8) -> Bool = { $0.hexadecimalValue != nil }
        if takeOne(where: { StringLiteral.simpleEscapes[$0] != nil || $0.isOctalDigit }) { return }
        if take(0x78) {
            if !takeOne(where: isHexadecimal) { fail("\\x must be followed by hex digits") }
        } else if take(0x75) {
            for _ in 0..<4 where !takeOne(where: isHexadecimal) {
                return fail("\\u must be followed by four hex digits")
            }
        } else if take(0x55) {
            let isValid = take(0x30) && take(0x30) && take(0x30, or: 0x31)
            guard isValid, (0..<5).allSatisfy({ _ in takeOne(where: isHexadecimal) }) else {
                return fail("\\U must be followed by eight hex digits, at most 10ffff")
            }
        } else {
            fail("the string has an invalid escape sequence")
        }
    }
}
