/// A word, number, string or sign of a `.proto` file.
struct Token: Equatable {
    enum Kind {
        /// Before the first token.
        case start
        case identifier
        case integer
        /// A number with a point or an exponent.
        case float
        /// A string literal with its quotes, not unescaped yet.
        case string
        case symbol
        case end
    }

    var kind: Kind
    /// The token as it stands in the file; empty for strings, whose bytes need not be UTF-8.
    var text: String
    /// Where its bytes are in the file.
    var range: Range<Int>
    /// The line, from 0.
    var line: Int
    /// The column, from 0.
    var column: Int
    /// The column after its last byte.
    var endColumn: Int

    static let start = Token(
        kind: .start,
        text: "",
        range: 0..<0,
        line: 0,
        column: 0,
        endColumn: 0
    )

    var location: SourceLocation { SourceLocation(line: line + 1, column: column + 1) }

    /// The token as an error message shows it.
    var shown: String {
        switch kind {
        case .string: "a string"
        case .start, .end: "the end of the file"
        default: "'\(text)'"
        }
    }
}

extension UInt8 {
    var isLetter: Bool {
        (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) || self == 0x5F
    }
    var isDigit: Bool { (0x30...0x39).contains(self) }
    var isOctalDigit: Bool { (0x30...0x37).contains(self) }
    /// Space, tab, and what else stands between tokens on a line.
    var isSpace: Bool { self == 0x20 || self == 0x09 || (0x0B...0x0D).contains(self) }
    /// The value of a hexadecimal digit.
    var hexadecimalValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x41 + 10
        case 0x61...0x66: self - 0x61 + 10
        default: nil
        }
    }
}
