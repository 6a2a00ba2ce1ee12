internal import NetpollProtobuf

/// Reads one `.proto` file by recursive descent.
///
/// After an error it goes on behind the next `;` or block, so that one run tells of several.
struct Parser {
    /// How deep messages may nest; more is an error, not a stack overflow.
    static let nestingLimit = 32

    private var lexer: Lexer
    var token: Token
    private var previousEnd = SourceLocation.start
    var file: ParsedFile
    private var diagnostics = Diagnostics()

    /// Thrown after an error was reported, to leave the statement that has it.
    struct Failure: Error {}

    /// Parses a file.
    static func parse(_ bytes: [UInt8], path: String) -> (
        file: ParsedFile, diagnostics: Diagnostics
    ) {
        var parser = Parser(bytes, path: path)
        parser.parseFile()
        var all = parser.lexer.diagnostics
        for error in parser.diagnostics.errors {
            all.add(error.path, error.location, error.message)
        }
        return (parser.file, all)
    }

    private init(_ bytes: [UInt8], path: String) {
        lexer = Lexer(bytes, path: path)
        file = ParsedFile(path: path)
        token = Token(kind: .end, location: .start, end: .start, comment: nil)
        token = lexer.next()
    }
}

// MARK: - Tokens

extension Parser {
    mutating func fail(_ message: String, at location: SourceLocation? = nil) -> Failure {
        diagnostics.add(file.path, location ?? token.location, message)
        return Failure()
    }

    @discardableResult
    mutating func advance() -> Token {
        defer {
            previousEnd = token.end
            token = lexer.next()
        }
        return token
    }

    func isAt(_ symbol: Character) -> Bool {
        symbol.asciiValue.map { token.kind == .symbol($0) } ?? false
    }

    func isAt(word: String) -> Bool { token.kind == .identifier(word) }

    mutating func take(_ symbol: Character) -> Bool {
        guard isAt(symbol) else { return false }
        advance()
        return true
    }

    mutating func take(word: String) -> Bool {
        guard isAt(word: word) else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: Character) throws(Failure) {
        guard take(symbol) else { throw fail("expected '\(symbol)' but found \(token.shown)") }
    }

    mutating func identifier(_ what: String) throws(Failure) -> String {
        guard case .identifier(let name) = token.kind else {
            throw fail("expected \(what) but found \(token.shown)")
        }
        advance()
        return name
    }

    /// A name with dots, and with a dot before it if `mayBeAbsolute`.
    mutating func qualifiedName(_ what: String, mayBeAbsolute: Bool) throws(Failure) -> String {
        var name = mayBeAbsolute && take(".") ? "." : ""
        name += try identifier(what)
        while take(".") { name += "." + (try identifier(what)) }
        return name
    }

    mutating func stringLiteral(_ what: String) throws(Failure) -> [UInt8] {
        guard case .string(var bytes) = token.kind else {
            throw fail("expected \(what) but found \(token.shown)")
        }
        advance()
        // Neighbouring literals are one.
        while case .string(let more) = token.kind {
            bytes += more
            advance()
        }
        return bytes
    }

    /// An integer that may have a sign, within a range.
    mutating func integer(_ what: String, in range: ClosedRange<Int64>) throws(Failure) -> Int64 {
        let start = token.location
        let isNegative = take("-")
        guard case .integer(let magnitude) = token.kind else {
            throw fail("expected \(what) but found \(token.shown)")
        }
        advance()
        let value = Int64(exactly: magnitude).map { isNegative ? -$0 : $0 }
        guard let value, range.contains(value) else {
            throw fail(
                "\(what) must lie within \(range.lowerBound)...\(range.upperBound)",
                at: start
            )
        }
        return value
    }

    /// Notes where an element is, and its comment.
    mutating func note(_ path: [Int32], _ start: Token) {
        file.locations[path] = start.location
        var location = Google_Protobuf_SourceCodeInfo.Location()
        location.path = path
        location.span = [
            Int32(clamping: start.location.line - 1), Int32(clamping: start.location.column - 1),
            Int32(clamping: start.end.column - 1),
        ]
        if let comment = start.comment { location.leadingComments = comment }
        file.descriptor.sourceCodeInfo.location.append(location)
    }

    /// Runs statements up to the closing brace; a broken one is skipped.
    mutating func block(_ what: String, _ statement: (inout Parser) throws(Failure) -> Void)
        throws(Failure)
    {
        try expect("{")
        while !isAt("}") {
            guard token.kind != .end else { throw fail("\(what) has no '}'") }
            if take(";") { continue }
            do throws(Failure) { try statement(&self) } catch { skipStatement() }
        }
        advance()
    }

    /// Goes on behind the next `;` or behind a whole block, but stays before a `}` that ends more.
    mutating func skipStatement() {
        var depth = 0
        while token.kind != .end {
            if depth == 0, isAt("}") { return }
            let isOpening = isAt("{")
            let isClosing = isAt("}")
            let isEnd = isAt(";")
            advance()
            depth += isOpening ? 1 : isClosing ? -1 : 0
            if depth == 0, isEnd || isClosing { return }
        }
    }
}

// MARK: - The file

extension Parser {
    private mutating func parseFile() {
        do throws(Failure) { try parseSyntax() } catch { return }
        while token.kind != .end {
            if take(";") { continue }
            do throws(Failure) { try parseTopLevel() } catch {
                skipStatement()
                // A stray closing brace at the top level would stop every attempt.
                if isAt("}") { advance() }
            }
        }
    }

    private mutating func parseSyntax() throws(Failure) {
        let start = token
        if isAt(word: "edition") {
            throw fail("editions are not supported; use syntax = \"proto3\" or \"proto2\"")
        }
        guard take(word: "syntax") else { return }
        try expect("=")
        let at = token.location
        let name = String(decoding: try stringLiteral("\"proto2\" or \"proto3\""), as: UTF8.self)
        guard name == "proto2" || name == "proto3" else {
            throw fail(
                "unrecognized syntax identifier \"\(name)\"; use \"proto2\" or \"proto3\"",
                at: at
            )
        }
        try expect(";")
        note([PathNumber.File.syntax], start)
        if name == "proto3" { file.descriptor.syntax = name }
    }

    private mutating func parseTopLevel() throws(Failure) {
        let start = token
        guard case .identifier(let word) = start.kind else {
            throw fail("expected a top-level statement (e.g. \"message\") but found \(token.shown)")
        }
        switch word {
        case "import": try parseImport()
        case "package": try parsePackage()
        case "option":
            advance()
            file.descriptor.options.uninterpretedOption.append(try parseOption())
            try expect(";")
        case "message":
            let index = Int32(clamping: file.descriptor.messageType.count)
            let message = try parseMessage([PathNumber.File.message, index], depth: 1)
            file.descriptor.messageType.append(message)
        case "enum":
            let index = Int32(clamping: file.descriptor.enumType.count)
            file.descriptor.enumType.append(try parseEnum([PathNumber.File.enumType, index]))
        case "service":
            let index = Int32(clamping: file.descriptor.service.count)
            file.descriptor.service.append(try parseService([PathNumber.File.service, index]))
        case "extend": throw fail("extensions are not supported yet")
        case "syntax": throw fail("syntax must be the first statement of a file")
        default:
            throw fail("expected a top-level statement (e.g. \"message\") but found \(token.shown)")
        }
    }

    private mutating func parseImport() throws(Failure) {
        advance()
        let index = Int32(clamping: file.descriptor.dependency.count)
        if take(word: "public") {
            file.descriptor.publicDependency.append(index)
        } else if take(word: "weak") {
            file.descriptor.weakDependency.append(index)
        }
        let start = token
        let path = String(
            decoding: try stringLiteral("a string naming the file to import"),
            as: UTF8.self
        )
        note([PathNumber.File.dependency, index], start)
        guard !file.descriptor.dependency.contains(path) else {
            throw fail("import \"\(path)\" is listed twice", at: start.location)
        }
        file.descriptor.dependency.append(path)
        try expect(";")
    }

    private mutating func parsePackage() throws(Failure) {
        let start = advance()
        guard !file.descriptor.hasPackage else {
            throw fail("a file has only one package", at: start.location)
        }
        note([PathNumber.File.package], start)
        file.descriptor.package = try qualifiedName("a package name", mayBeAbsolute: false)
        try expect(";")
    }
}
