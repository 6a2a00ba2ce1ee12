/// A word, number, string or sign of a `.proto` file.
struct Token: Equatable {
    enum Kind: Equatable {
        case identifier(String)
        case integer(UInt64)
        /// An integer that is too large for 64 bits, or has a fraction or an exponent.
        case float(Double)
        case string([UInt8])
        case symbol(UInt8)
        case end
    }

    let kind: Kind
    let location: SourceLocation
    /// The place after the last byte.
    let end: SourceLocation
    /// The comment that stands right before the token, without its signs.
    let comment: String?

    /// The token as an error message shows it.
    var shown: String {
        switch kind {
        case .identifier(let name): "'\(name)'"
        case .integer(let value): "\(value)"
        case .float(let value): "\(value)"
        case .string: "a string"
        case .symbol(let byte): "'\(Character(Unicode.Scalar(byte)))'"
        case .end: "the end of the file"
        }
    }
}

extension UInt8 {
    var isLetter: Bool {
        (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) || self == 0x5F
    }
    var isDigit: Bool { (0x30...0x39).contains(self) }
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
