/// Decides to which of two tokens the comments between them belong.
struct CommentSorter {
    private var comments = TokenComments()
    private var buffer: [UInt8] = []
    private var hasComment = false
    private var isLineComment = false
    private var canBelongToPrevious = true

    /// Adds a line comment; neighbours are one.
    mutating func add(line: ArraySlice<UInt8>) {
        if hasComment, !isLineComment { flush() }
        buffer += line
        hasComment = true
        isLineComment = true
    }

    /// Adds a block comment, which is always one of its own.
    mutating func add(block: [UInt8]) {
        if hasComment { flush() }
        buffer = block
        hasComment = true
        isLineComment = false
    }

    /// Ends the comment at hand: nothing that follows makes it part of the next token's.
    mutating func flush() {
        guard hasComment else { return }
        if canBelongToPrevious {
            comments.trailing += buffer
            canBelongToPrevious = false
        } else {
            comments.detached.append(buffer)
        }
        discard()
    }

    /// Forgets the comment at hand.
    mutating func discard() {
        buffer = []
        hasComment = false
    }

    /// From here on no comment belongs to the token before.
    mutating func detachFromPrevious() { canBelongToPrevious = false }

    /// The comments, the one at hand being that of the next token.
    func finish() -> TokenComments {
        var result = comments
        if hasComment { result.leading = buffer }
        return result
    }
}
