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
    enum CommentStart {
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

    mutating func takeCommentStart() -> CommentStart {
        let start = (offset, line, column)
        guard take(0x2F) else { return .none }
        if take(0x2F) { return .line }
        if take(0x2A) { return .block }
        current = token(.symbol, from: start.0, start.1, start.2)
        return .slash
    }

    @discardableResult
    mutating func takeLineComment() -> ArraySlice<UInt8> {
        let start = offset
        take(while: { $0 != 0x0A && $0 != 0 })
        _ = take(0x0A)
        return bytes[start..<offset]
    }

    /// Reads a block comment behind its beginning; space and one asterisk at the beginning of a line
    /// are decoration.
    @discardableResult
    mutating func takeBlockComment() -> [UInt8] {
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
