/// Cuts a `.proto` file into tokens, with the places and comments that protoc would note.
struct Lexer {
    let path: String
    let bytes: [UInt8]
    private(set) var offset = 0
    private(set) var line = 0
    private(set) var column = 0
    /// The token that was read last.
    var current = Token.start
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

    mutating func fail(_ message: String, columnOffset: Int = 0) {
        let here = SourceLocation(line: line + 1, column: column + 1 + columnOffset)
        diagnostics.add(path, here, message)
    }
}

// MARK: - Bytes

extension Lexer {
    var isAtEnd: Bool { offset >= bytes.count }

    /// The byte at hand; 0 at the end, as no file may contain a 0 anyway.
    var peek: UInt8 { offset < bytes.count ? bytes[offset] : 0 }

    mutating func skip() {
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

    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte, !isAtEnd else { return false }
        skip()
        return true
    }

    mutating func take(_ first: UInt8, or second: UInt8) -> Bool {
        take(first) || take(second)
    }

    mutating func takeOne(where matches: (UInt8) -> Bool) -> Bool {
        guard !isAtEnd, matches(peek) else { return false }
        skip()
        return true
    }

    mutating func take(while matches: (UInt8) -> Bool) {
        while !isAtEnd, matches(bytes[offset]) { skip() }
    }

    func token(_ kind: Token.Kind, from start: Int, _ line: Int, _ column: Int) -> Token {
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
