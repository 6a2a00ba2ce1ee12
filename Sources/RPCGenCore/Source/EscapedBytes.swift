/// Bytes that a descriptor holds as text with C's escapes.
enum EscapedBytes {
    /// The bytes; what is not a valid escape stands for itself.
    static func decode(_ text: String) -> [UInt8] {
        var rest = Array(text.utf8)[...]
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let code = rest.popFirst() else {
                bytes.append(byte)
                continue
            }
            if let simple = simpleEscapes[code] {
                bytes.append(simple)
            } else if code == UInt8(ascii: "x") || code == UInt8(ascii: "X") {
                bytes.append(number(&rest, radix: 16, digits: 2))
            } else if (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(code) {
                rest = [code] + rest
                bytes.append(number(&rest, radix: 8, digits: 3))
            } else {
                bytes += [byte, code]
            }
        }
        return bytes
    }

    /// The text: what is not printable ASCII becomes an octal escape, save for the common ones.
    static func encode(_ bytes: [UInt8]) -> String {
        var text = ""
        for byte in bytes {
            switch byte {
            case 0x0A: text += "\\n"
            case 0x0D: text += "\\r"
            case 0x09: text += "\\t"
            case 0x22, 0x27, 0x5C: text += "\\" + String(Unicode.Scalar(byte))
            case 0x20..<0x7F: text += String(Unicode.Scalar(byte))
            default: text += "\\\(byte >> 6)\(byte >> 3 & 7)\(byte & 7)"
            }
        }
        return text
    }

    private static func number(_ rest: inout ArraySlice<UInt8>, radix: Int, digits: Int) -> UInt8 {
        var value = 0
        for _ in 0..<digits {
            guard let next = rest.first,
                let digit = Character(Unicode.Scalar(next)).hexDigitValue, digit < radix
            else { break }
            value = value * radix + digit
            rest = rest.dropFirst()
        }
        return UInt8(truncatingIfNeeded: value)
    }

    private static let simpleEscapes: [UInt8: UInt8] = [
        UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09,
        UInt8(ascii: "a"): 0x07, UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0C,
        UInt8(ascii: "v"): 0x0B, UInt8(ascii: "\\"): 0x5C, UInt8(ascii: "'"): 0x27,
        UInt8(ascii: "\""): 0x22, UInt8(ascii: "?"): 0x3F,
    ]
}
