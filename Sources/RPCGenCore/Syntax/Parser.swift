internal import NetpollProtobuf

/// Reads one `.proto` file by recursive descent.
///
/// After an error it goes on behind the next `;` or block, so that one run tells of several.
struct Parser {
    /// How deep messages may nest, as in protoc; more is an error, not a stack overflow.
    static let nestingLimit = 31

    private var lexer: Lexer
    var locations = LocationRecorder()
    var file: ParsedFile
    var isProto3 = false
    /// How many options of extension ranges the file may still have.
    ///
    /// Each option counts once for each range of its statement, as each has a copy of it.
    var rangeOptionBudget = 100_000
    /// The comments that stand before the next declaration.
    private var upcoming = TokenComments()

    /// Thrown after an error was reported, to leave the statement that has it.
    struct Failure: Error {}

    /// Parses a file.
    static func parse(_ bytes: [UInt8], path: String) -> (
        file: ParsedFile, diagnostics: Diagnostics
    ) {
        var parser = Parser(bytes, path: path)
        parser.parseFile()
        parser.file.descriptor.name = path
        parser.file.descriptor.sourceCodeInfo = parser.locations.sourceCodeInfo
        return (parser.file, parser.lexer.diagnostics)
    }

    private init(_ bytes: [UInt8], path: String) {
        lexer = Lexer(bytes, path: path)
        file = ParsedFile(path: path)
        upcoming = lexer.advanceWithComments()
    }
}

// MARK: - Tokens

extension Parser {
    var token: Token { lexer.current }

    func bytes(of token: Token) -> ArraySlice<UInt8> { lexer.bytes(of: token) }

    mutating func report(_ message: String, at token: Token? = nil) {
        lexer.diagnostics.add(file.path, (token ?? lexer.current).location, message)
    }

    mutating func fail(_ message: String, at token: Token? = nil) -> Failure {
        report(message, at: token)
        return Failure()
    }

    /// Whether nothing more can be told of the file.
    var hasEnoughErrors: Bool { lexer.diagnostics.isFull }

    mutating func advance() { lexer.advance() }

    func isAt(_ text: String) -> Bool { lexer.current.text == text }

    mutating func take(_ text: String) -> Bool {
        guard isAt(text) else { return false }
        lexer.advance()
        return true
    }

    mutating func expect(_ text: String, _ lead: String = "") throws(Failure) {
        guard take(text) else {
            throw fail("\(lead)expected \"\(text)\" but found \(token.shown)")
        }
    }

    mutating func identifier(_ what: String) throws(Failure) -> String {
        guard token.kind == .identifier else {
            throw fail("expected \(what) but found \(token.shown)")
        }
        defer { advance() }
        return token.text
    }

    /// A number without a sign, at most a bound; one above it is reported and read as 0.
    mutating func integer(_ what: String, max: UInt64) throws(Failure) -> UInt64 {
        guard token.kind == .integer else {
            throw fail("expected \(what) but found \(token.shown)")
        }
        defer { advance() }
        guard let value = NumberLiteral.integer(token.text, max: max) else {
            report("the integer \(token.text) is out of range, at most \(max) is allowed here")
            return 0
        }
        return value
    }

    mutating func int32(_ what: String) throws(Failure) -> Int32 {
        Int32(truncatingIfNeeded: try integer(what, max: UInt64(Int32.max)))
    }

    mutating func signedInt32(_ what: String) throws(Failure) -> Int32 {
        let isNegative = take("-")
        let magnitude = try integer(what, max: UInt64(Int32.max) + (isNegative ? 1 : 0))
        let value = Int64(magnitude)
        return Int32(truncatingIfNeeded: isNegative ? -value : value)
    }

    /// A string, or several in a row, which are one.
    mutating func string(_ what: String) throws(Failure) -> [UInt8] {
        guard token.kind == .string else {
            throw fail("expected \(what) but found \(token.shown)")
        }
        var result: [UInt8] = []
        while token.kind == .string {
            StringLiteral.append(bytes(of: token), to: &result)
            advance()
        }
        return result
    }
}

// MARK: - Places and comments

extension Parser {
    func path(_ parent: Element, _ components: Int32...) -> [Int32] { parent.path + components }

    /// The token that was read last.
    var previous: Token { lexer.previous }

    /// Begins an element at the current token.
    mutating func open(_ path: [Int32]) -> Element { locations.open(path, at: token) }

    /// Ends an element with the token that was read last.
    mutating func close(_ element: Element) { locations.close(element, at: lexer.previous) }

    /// Records the place of what a closure reads.
    mutating func record<Value>(
        _ path: [Int32],
        _ read: (inout Parser) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let element = open(path)
        let value = try read(&self)
        close(element)
        return value
    }

    /// Records one token, that which was read last if none is given.
    mutating func record(_ path: [Int32], from start: Token, to end: Token? = nil) {
        let element = locations.open(path, at: start)
        locations.close(element, at: end ?? lexer.previous)
    }

    /// Reads a sign that ends a declaration or begins its block, and gives the comments around the
    /// declaration to its element.
    mutating func takeEnd(_ text: String, of element: Element?) -> Bool {
        guard isAt(text) else { return false }
        var comments = lexer.advanceWithComments()
        swap(&comments.leading, &upcoming.leading)
        if let element {
            swap(&comments.detached, &upcoming.detached)
            locations.attach(comments, to: element)
        } else if text == "}" {
            upcoming.detached = comments.detached
        } else {
            upcoming.detached += comments.detached
        }
        return true
    }

    /// Goes on behind a brace that ends nothing.
    mutating func skipClosingBrace() { upcoming = lexer.advanceWithComments() }

    mutating func expectEnd(_ text: String, of element: Element?) throws(Failure) {
        guard takeEnd(text, of: element) else {
            throw fail("expected \"\(text)\" but found \(token.shown)")
        }
    }
}

// MARK: - Statements

extension Parser {
    /// Runs statements up to the closing brace; a broken one is skipped.
    mutating func block(
        _ what: String,
        of element: Element,
        _ statement: (inout Parser) throws(Failure) -> Void
    ) throws(Failure) {
        try expectEnd("{", of: element)
        while !takeEnd("}", of: nil) {
            guard token.kind != .end, !hasEnoughErrors else {
                throw fail("the end of the file is inside of \(what), a '}' is missing")
            }
            if takeEnd(";", of: nil) { continue }
            do throws(Failure) { try statement(&self) } catch { skipStatement() }
        }
    }

    /// Goes on behind the next `;` or behind a whole block, but stays before a `}` that ends more.
    mutating func skipStatement() {
        var depth = 0
        while token.kind != .end {
            if depth == 0 {
                if takeEnd(";", of: nil) || isAt("}") { return }
                if take("{") { depth = 1 } else { advance() }
            } else if takeEnd("}", of: nil) {
                depth -= 1
                if depth == 0 { return }
            } else {
                if isAt("{") { depth += 1 }
                advance()
            }
        }
    }
}
