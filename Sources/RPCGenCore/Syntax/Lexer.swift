/// Cuts a `.proto` file into tokens.
struct Lexer {
    private let bytes: [UInt8]
    private var offset = 0
    private var location = SourceLocation.start
    /// The comment that ended last, while nothing but one line break has followed it.
    private var comment: String?
    private let path: String
    private(set) var diagnostics = Diagnostics()

    init(_ bytes: [UInt8], path: String) {
        self.bytes = bytes
        self.path = path
        // A byte order mark is allowed and means nothing.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
    }

    /// The next token; `.end` at the end, for ever.
    mutating func next() -> Token {
        while true {
            skipSpaceAndComments()
            let start = location
            guard let byte = peek() else { return token(.end, start) }
            if byte.isLetter {
                return token(.identifier(text(while: { $0.isLetter || $0.isDigit })), start)
            }
            if byte.isDigit || (byte == 0x2E && peek(1)?.isDigit == true) {
                return token(number(), start)
            }
            if byte == 0x22 || byte == 0x27 { return token(.string(string(byte)), start) }
            if byte > 0x20 && byte < 0x7F {
                advance()
                return token(.symbol(byte), start)
            }
            fail(
                "invalid control or non-ASCII character outside of strings and comments",
                at: start
            )
            advance()
        }
    }

    private mutating func token(_ kind: Token.Kind, _ start: SourceLocation) -> Token {
        defer { comment = nil }
        return Token(kind: kind, location: start, end: location, comment: comment)
    }

    private mutating func fail(_ message: String, at location: SourceLocation) {
        diagnostics.add(path, location, message)
    }

    private func peek(_ ahead: Int = 0) -> UInt8? {
        offset + ahead < bytes.count ? bytes[offset + ahead] : nil
    }

    private mutating func advance() {
        guard offset < bytes.count else { return }
        if bytes[offset] == 0x0A {
            location = SourceLocation(line: location.line + 1, column: 1)
        } else {
            location.column += 1
        }
        offset += 1
    }

    private mutating func text(while matches: (UInt8) -> Bool) -> String {
        let start = offset
        while let byte = peek(), matches(byte) { advance() }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }
}

// MARK: - Space and comments

extension Lexer {
    private mutating func skipSpaceAndComments() {
        var lineBreaks = 0
        while let byte = peek() {
            switch byte {
            case 0x0A:
                lineBreaks += 1
                // An empty line parts a comment from what follows.
                if lineBreaks > 1 { comment = nil }
                advance()
            case 0x20, 0x09, 0x0D, 0x0B, 0x0C:
                advance()
            case 0x2F where peek(1) == 0x2F:
                lineComment(continues: lineBreaks <= 1)
                // The comment took its own line break.
                lineBreaks = 1
            case 0x2F where peek(1) == 0x2A:
                blockComment()
                lineBreaks = 0
            default:
                return
            }
        }
    }

    private mutating func lineComment(continues: Bool) {
        advance()
        advance()
        let line = text { $0 != 0x0A } + "\n"
        advance()
        comment = continues ? (comment ?? "") + line : line
    }

    private mutating func blockComment() {
        let start = location
        advance()
        advance()
        var lines: [String] = [""]
        while let byte = peek() {
            if byte == 0x2A, peek(1) == 0x2F {
                advance()
                advance()
                comment = lines.joined(separator: "\n")
                return
            }
            if byte == 0x0A {
                advance()
                // Leading space and one asterisk are decoration.
                _ = text { $0 == 0x20 || $0 == 0x09 }
                if peek() == 0x2A, peek(1) != 0x2F { advance() }
                lines.append("")
            } else {
                lines[lines.count - 1] += text { $0 != 0x0A && $0 != 0x2A }
                if peek() == 0x2A, peek(1) != 0x2F {
                    lines[lines.count - 1] += "*"
                    advance()
                }
            }
        }
        fail("a comment has no end", at: start)
    }
}

// MARK: - Numbers and strings

extension Lexer {
    private mutating func number() -> Token.Kind {
        let start = location
        if peek() == 0x30, peek(1) == 0x78 || peek(1) == 0x58 {
            advance()
            advance()
            return integer(text { $0.hexadecimalValue != nil }, radix: 16, start)
        }
        let digits = text { $0.isDigit }
        let isFloat = peek() == 0x2E || peek() == 0x65 || peek() == 0x45
        guard isFloat || peek().map({ $0 == 0x66 || $0 == 0x46 }) == true else {
            if digits.utf8.first == 0x30, digits.utf8.count > 1 {
                return integer(String(digits.dropFirst()), radix: 8, start)
            }
            return integer(digits, radix: 10, start)
        }
        var literal = digits.isEmpty ? "0" : digits
        if peek() == 0x2E {
            advance()
            literal += "." + text { $0.isDigit } + "0"
        }
        if peek() == 0x65 || peek() == 0x45 {
            advance()
            literal += "e"
            if let sign = peek(), sign == 0x2B || sign == 0x2D {
                literal += sign == 0x2D ? "-" : ""
                advance()
            }
            literal += text { $0.isDigit }
        }
        if peek() == 0x66 || peek() == 0x46 { advance() }
        return finish(Double(literal).map { .float($0) }, start)
    }

    private mutating func integer(_ digits: String, radix: Int, _ start: SourceLocation)
        -> Token.Kind
    {
        if let value = UInt64(digits, radix: radix) { return finish(.integer(value), start) }
        // Too large for an integer: usable where a floating-point number is expected.
        return finish(radix == 10 ? Double(digits).map { .float($0) } : nil, start)
    }

    private mutating func finish(_ kind: Token.Kind?, _ start: SourceLocation) -> Token.Kind {
        if let byte = peek(), byte.isLetter {
            fail("need space between number and identifier", at: location)
        }
        if let kind { return kind }
        fail("a number is not valid or too large", at: start)
        return .integer(0)
    }

    private mutating func string(_ quote: UInt8) -> [UInt8] {
        let start = location
        advance()
        var result: [UInt8] = []
        while let byte = peek(), byte != 0x0A {
            advance()
            if byte == quote { return result }
            if byte == 0x5C { escape(&result) } else { result.append(byte) }
        }
        fail("a string has no end", at: start)
        return result
    }

    private mutating func escape(_ result: inout [UInt8]) {
        let start = location
        guard let byte = peek() else { return }
        advance()
        switch byte {
        case 0x61: result.append(7)
        case 0x62: result.append(8)
        case 0x66: result.append(12)
        case 0x6E: result.append(10)
        case 0x72: result.append(13)
        case 0x74: result.append(9)
        case 0x76: result.append(11)
        case 0x5C, 0x27, 0x22, 0x3F: result.append(byte)
        case 0x30...0x37: result.append(octal(byte))
        case 0x78, 0x58: hexadecimal(&result, 1...2, start)
        case 0x75: scalar(&result, digitCount: 4, start)
        case 0x55: scalar(&result, digitCount: 8, start)
        default: fail("invalid escape sequence in string literal", at: start)
        }
    }

    private mutating func octal(_ first: UInt8) -> UInt8 {
        var value = first - 0x30
        for _ in 0..<2 {
            guard let byte = peek(), (0x30...0x37).contains(byte) else { break }
            value = value &* 8 &+ (byte - 0x30)
            advance()
        }
        return value
    }

    private mutating func hexadecimal(
        _ result: inout [UInt8],
        _ counts: ClosedRange<Int>,
        _ start: SourceLocation
    ) {
        var value: UInt8 = 0
        var count = 0
        while count < counts.upperBound, let digit = peek()?.hexadecimalValue {
            value = value &* 16 &+ digit
            count += 1
            advance()
        }
        guard counts.contains(count) else {
            return fail("expected hex digits for escape sequence", at: start)
        }
        result.append(value)
    }

    private mutating func scalar(_ result: inout [UInt8], digitCount: Int, _ start: SourceLocation)
    {
        var value: UInt32 = 0
        for _ in 0..<digitCount {
            guard let digit = peek()?.hexadecimalValue else {
                return fail("expected \(digitCount) hex digits for escape sequence", at: start)
            }
            value = value &* 16 &+ UInt32(digit)
            advance()
        }
        guard let scalar = Unicode.Scalar(value) else {
            return fail("the escape sequence is not a Unicode scalar value", at: start)
        }
        result += Array(String(scalar).utf8)
    }
}
