import Testing

@testable import RPCGenCore

@Suite("Lexer")
struct LexerTests {
    private func tokens(_ text: String) -> (tokens: [Token], errors: [Diagnostic]) {
        var lexer = Lexer(Array(text.utf8), path: "a.proto")
        var tokens: [Token] = []
        repeat {
            lexer.advance()
            tokens.append(lexer.current)
        } while lexer.current.kind != .end
        return (tokens.dropLast(), lexer.diagnostics.errors)
    }

    @Test("words, numbers, strings and signs")
    func kinds() {
        let (found, errors) = tokens("a_1 12 0x1F 017 1.5 .5 5. 1e+3 \"a'\\\"b\" 'c' ;{")
        #expect(errors.isEmpty)
        #expect(
            found.map(\.kind) == [
                .identifier, .integer, .integer, .integer, .float, .float, .float, .float, .string,
                .string, .symbol, .symbol,
            ]
        )
        #expect(found[2].text == "0x1F" && found[7].text == "1e+3")
    }

    @Test("a tab goes to the next multiple of eight, all other bytes count as one column")
    func columns() {
        let (found, _) = tokens("\ta\n  \tb \"é\" c\r\n\t \td")
        #expect(found.map(\.line) == [0, 1, 1, 1, 2])
        #expect(found.map(\.column) == [8, 8, 10, 15, 16])
        #expect(found.map(\.endColumn) == [9, 9, 14, 16, 17])
    }

    @Test(
        "what no file may contain is told with its place",
        arguments: [
            ("a\n\u{1}\u{2} b", "2:1"), ("a\u{0}b", "1:2"), ("\"a\u{0}\"", "1:3"),
            ("// a\u{0}b\n", "1:5"), ("/* a\u{0} */", "1:5"), ("é", "1:1"), ("1.5.5", "1:4"),
            ("1a", "1:2"), ("0x", "1:3"), ("08", "1:2"), ("1e", "1:3"), ("a.5", "1:2"),
            ("\"\\q\"", "1:3"), ("\"\\x\"", "1:4"), ("\"\\u123\"", "1:7"), ("\"a\nb\"", "1:3"),
            ("/*", "1:3"), ("/* /* */", "1:5"),
        ]
    )
    func mistakes(text: String, place: String) throws {
        let first = try #require(tokens(text).errors.first)
        #expect("\(first.location.line):\(first.location.column)" == place)
    }

    @Test("numbers have the value that their notation gives them")
    func numbers() {
        #expect(NumberLiteral.integer("18446744073709551615") == .max)
        #expect(NumberLiteral.integer("18446744073709551616") == nil)
        #expect(NumberLiteral.integer("0xFFFFFFFFFFFFFFFF") == .max)
        #expect(NumberLiteral.integer("0x10000000000000000") == nil)
        #expect(NumberLiteral.integer("01777777777777777777777") == .max)
        #expect(NumberLiteral.integer("02000000000000000000000") == nil)
        #expect(NumberLiteral.integer("0") == 0)
        #expect(NumberLiteral.integer("129", max: 128) == nil)
        #expect(NumberLiteral.double("1.") == 1 && NumberLiteral.double(".5e1") == 5)
        #expect(NumberLiteral.double("1e999") == .infinity)
    }

    @Test(
        "strings are the bytes that their escapes stand for",
        arguments: [
            ("\"\"", []), ("'a\"'", [0x61, 0x22]), ("\"\\a\\b\\f\\n\"", [7, 8, 12, 10]),
            ("\"\\r\\t\\v\\\\\\?\\'\"", [13, 9, 11, 0x5C, 0x3F, 0x27]),
            ("\"\\0\\18\\1234\\777\"", [0, 1, 0x38, 0x53, 0x34, 0xFF]),
            ("\"\\x4\\xaBc\"", [4, 0xAB, 0x63]), ("\"\\u00e9\"", [0xC3, 0xA9]),
            ("\"\\ud83d\\ude00\"", [0xF0, 0x9F, 0x98, 0x80]),
            ("\"\\U0001F600\"", [0xF0, 0x9F, 0x98, 0x80]),
            ("\"\\ud83dx\"", [0xED, 0xA0, 0xBD, 0x78]),
        ] as [(String, [UInt8])]
    )
    func strings(literal: String, bytes: [UInt8]) {
        var result: [UInt8] = []
        StringLiteral.append(Array(literal.utf8)[...], to: &result)
        #expect(result == bytes)
    }

    /// The comments between `a` and `b`: trailing, detached, leading.
    static let commentCases:
        [(text: String, trailing: String, detached: [String], leading: String)] = [
            ("a // t\nb", " t\n", [], ""),
            ("a\n// t\n\nb", " t\n", [], ""),
            ("a\n// l\nb", "", [], " l\n"),
            ("a // t\n// l\nb", " t\n", [], " l\n"),
            ("a // t\n\n// d\n\n// l\nb", " t\n", [" d\n"], " l\n"),
            ("a /* x */ b", "", [], ""),
            ("a /* t */\nb", " t ", [], ""),
            ("a\n\n// d1\n// d1b\n\n/* d2 */\n\n// l\nb", "", [" d1\n d1b\n", " d2 "], " l\n"),
            ("a /* t\n   * more\n   */\nb", " t\n more\n", [], ""),
            ("a\n/* t */ // l\nb", " t ", [], " l\n"),
            ("a\n// t\n}", " t\n", [], ""),
            ("a\n\n// d\n}", "", [" d\n"], ""),
            ("a\n// one\n/* two */\n// three\nb", " one\n", [" two "], " three\n"),
        ]

    @Test(
        "comments go to the token before, to the token behind, or to neither",
        arguments: commentCases.indices
    )
    func sortedComments(index: Int) {
        let (text, trailing, detached, leading) = Self.commentCases[index]
        var lexer = Lexer(Array(text.utf8), path: "a.proto")
        lexer.advance()
        let found = lexer.advanceWithComments()
        #expect(String(decoding: found.trailing, as: UTF8.self) == trailing)
        #expect(found.detached.map { String(decoding: $0, as: UTF8.self) } == detached)
        #expect(String(decoding: found.leading, as: UTF8.self) == leading)
    }
}
