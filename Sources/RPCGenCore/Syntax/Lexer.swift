/// Cuts a `.proto` file into tokens, with the places and comments that protoc would note.
struct Lexer {
    let path: String
    private let bytes: [UInt8]
    private(set) var offset = 0
    private(set) var line = 0
    private(set) var column = 0
    /// The token that was read last.
    private(set) var current = Token.start
    /// The token before it.
    private(set) var previous = Token.start
    var diagnostics = Diagnostics()

    init(_ bytes: [UInt8], path: String) {
        self.bytes = bytes
        self.path = path
    }

    /// The bytes of a token.
    func bytes(of token: Token) -> ArraySlice<UInt8> { bytes[token.range] }

    /// Goes on to the next token; `.end` at the end, for ever.
    mutating func advance() {
        previous = current
        while true {
            take(while: { $0.isSpace || $0 == 0x0A })
            switch takeCommentStart() {
            case .line: takeLineComment()
            case .block: takeBlockComment()
            case .slash: return
            case .none:
                if isAtEnd {
                    current = token(.end, from: offset, line, column)
                    return
                }
                guard peek < 0x20 else {
                    takeToken()
                    return
                }
                fail("control characters are not allowed outside of strings and comments")
                take(while: { $0 < 0x20 && !$0.isSpace && $0 != 0x0A })
            }
        }
    }

    private mutating func fail(_ message: String, columnOffset: Int = 0) {
        let here = SourceLocation(line: line + 1, column: column + 1 + columnOffset)
        diagnostics.add(path, here, message)
    }
}

// MARK: - Bytes

extension Lexer {
    var isAtEnd: Bool { offset >= bytes.count }

    /// The byte at hand; 0 at the end, as no file may contain a 0 anyway.
    private var peek: UInt8 { offset < bytes.count ? bytes[offset] : 0 }

    private mutating func skip() {
        guard offset < bytes.count else { return }
        switch bytes[offset] {
        case 0x0A:
            line += 1
            column = 0
        case 0x09: column += 8 - column % 8
        default: column += 1
        }
        offset += 1
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte, !isAtEnd else { return false }
        skip()
        return true
    }

    private mutating func take(_ first: UInt8, or second: UInt8) -> Bool {
        take(first) || take(second)
    }

    private mutating func takeOne(where matches: (UInt8) -> Bool) -> Bool {
        guard !isAtEnd, matches(peek) else { return false }
        skip()
        return true
    }

    private mutating func take(while matches: (UInt8) -> Bool) {
        while !isAtEnd, matches(bytes[offset]) { skip() }
    }

    private func token(_ kind: Token.Kind, from start: Int, _ line: Int, _ column: Int) -> Token {
        let text = kind == .string ? "" : String(decoding: bytes[start..<offset], as: UTF8.self)
        return Token(
            kind: kind,
            text: text,
            range: start..<offset,
            line: line,
            column: column,
            endColumn: self.column
        )
    }
}

// MARK: - Comments

/// The comments between two tokens, as the bytes between their signs.
struct TokenComments {
    /// Belongs to what ends with the token before.
    var trailing: [UInt8] = []
    /// Belongs to neither token.
    var detached: [[UInt8]] = []
    /// Belongs to what begins with the token behind.
    var leading: [UInt8] = []
}

extension Lexer {
    private enum CommentStart {
        case line
        case block
        /// A slash that begins no comment, which is now the current token.
        case slash
        case none
    }

    /// Goes on to the next token and sorts the comments on the way.
    ///
    /// A comment that begins on the line of the token before, or on the next line with an empty line
    /// behind it, belongs to the token before; one that ends on the line before the next token, to
    /// that one; all others are detached.
    mutating func advanceWithComments() -> TokenComments {
        var sorter = CommentSorter()
        guard beginComments(&sorter) else { return sorter.finish() }
        while true {
            take(while: \.isSpace)
            switch takeCommentStart() {
            case .line: sorter.add(line: takeLineComment())
            case .block:
                sorter.add(block: takeBlockComment())
                take(while: \.isSpace)
                _ = take(0x0A)
            case .slash: return sorter.finish()
            case .none:
                guard take(0x0A) else {
                    advance()
                    if current.kind == .end || ["}", "]", ")"].contains(current.text) {
                        sorter.flush()
                    }
                    return sorter.finish()
                }
                sorter.flush()
                sorter.detachFromPrevious()
            }
        }
    }

    /// Reads the rest of the previous token's line; false when the next token stands on it too and
    /// has been read.
    private mutating func beginComments(_ sorter: inout CommentSorter) -> Bool {
        if current.kind == .start {
            skipByteOrderMark()
            sorter.detachFromPrevious()
            return true
        }
        take(while: \.isSpace)
        switch takeCommentStart() {
        case .line:
            sorter.add(line: takeLineComment())
            sorter.flush()
        case .block:
            sorter.add(block: takeBlockComment())
            take(while: \.isSpace)
            guard take(0x0A) else {
                // A comment between two tokens on one line could belong to either.
                sorter.discard()
                advance()
                return false
            }
            sorter.flush()
        case .slash: return false
        case .none:
            guard take(0x0A) else {
                advance()
                return false
            }
        }
        return true
    }

    private mutating func skipByteOrderMark() {
        guard take(0xEF) else { return }
        if !take(0xBB) || !take(0xBF) {
            fail("the file begins with byte 0xEF but not with a UTF-8 byte order mark")
        }
    }

    private mutating func takeCommentStart() -> CommentStart {
        let start = (offset, line, column)
        guard take(0x2F) else { return .none }
        if take(0x2F) { return .line }
        if take(0x2A) { return .block }
        current = token(.symbol, from: start.0, start.1, start.2)
        return .slash
    }

    @discardableResult
    private mutating func takeLineComment() -> ArraySlice<UInt8> {
        let start = offset
        take(while: { $0 != 0x0A && $0 != 0 })
        _ = take(0x0A)
        return bytes[start..<offset]
    }

    /// Reads a block comment behind its beginning; space and one asterisk at the beginning of a line
    /// are decoration.
    @discardableResult
    private mutating func takeBlockComment() -> [UInt8] {
        let start = SourceLocation(line: line + 1, column: column - 1)
        var content: [UInt8] = []
        var lineStart = offset
        while true {
            take(while: { $0 != 0 && $0 != 0x2A && $0 != 0x2F && $0 != 0x0A })
            if take(0x0A) {
                content += bytes[lineStart..<offset]
                take(while: \.isSpace)
                if take(0x2A), take(0x2F) { return content }
                lineStart = offset
            } else if take(0x2A) {
                guard take(0x2F) else { continue }
                content += bytes[lineStart..<offset - 2]
                return content
            } else if take(0x2F) {
                if peek == 0x2A { fail("block comments cannot be nested") }
            } else {
                fail("a block comment has no end")
                diagnostics.add(path, start, "the block comment without an end begins here")
                content += bytes[lineStart..<offset]
                return content
            }
        }
    }
}

// MARK: - Tokens

extension Lexer {
    private mutating func takeToken() {
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
