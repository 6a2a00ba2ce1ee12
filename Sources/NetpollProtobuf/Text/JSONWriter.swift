/// Collects JSON text.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    /// Whether the next value or key stands behind another one.
    private var needsComma = false

    mutating func open(_ bracket: Unicode.Scalar) {
        separate()
        bytes.append(UInt8(ascii: bracket))
        needsComma = false
    }

    mutating func close(_ bracket: Unicode.Scalar) {
        bytes.append(UInt8(ascii: bracket))
        needsComma = true
    }

    /// Adds a key that is quoted already and ends with its colon.
    mutating func key(_ quoted: [UInt8]) {
        separate()
        bytes += quoted
        needsComma = false
    }

    /// Adds a key.
    mutating func key(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Adds text that is JSON already.
    mutating func raw(_ text: String) {
        separate()
        bytes += text.utf8
        needsComma = true
    }

    /// Adds a number in quotes, because as a number it would lose digits in many readers.
    mutating func quoted(_ number: some BinaryInteger) { raw("\"\(number)\"") }

    /// Adds a number with as few digits as bring back the same bits; infinities and NaN as strings.
    mutating func number<F: BinaryFloatingPoint & CustomStringConvertible>(_ value: F) {
        if value.isNaN { return raw("\"NaN\"") }
        if value.isInfinite { return raw(value < 0 ? "\"-Infinity\"" : "\"Infinity\"") }
        let text = value.description
        raw(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
    }

    mutating func string(_ value: String) {
        var copy = value
        copy.withUTF8 { string(UnsafeRawBufferPointer($0)) }
    }

    /// Adds a string from valid UTF-8.
    mutating func string(_ utf8: UnsafeRawBufferPointer) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        var start = 0
        for (offset, byte) in utf8.enumerated() where Self.needsEscape(byte) {
            bytes += utf8[start..<offset]
            escape(byte)
            start = offset + 1
        }
        bytes += utf8[start...]
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// Adds bytes in Base64, with padding.
    mutating func base64(_ value: UnsafeRawBufferPointer) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        Base64.encode(value, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): bytes += #"\""#.utf8
        case UInt8(ascii: "\\"): bytes += #"\\"#.utf8
        case 0x08: bytes += #"\b"#.utf8
        case 0x09: bytes += #"\t"#.utf8
        case 0x0A: bytes += #"\n"#.utf8
        case 0x0C: bytes += #"\f"#.utf8
        case 0x0D: bytes += #"\r"#.utf8
        default:
            bytes += #"\u00"#.utf8
            let digits = String(byte, radix: 16)
            if digits.utf8.count == 1 { bytes.append(UInt8(ascii: "0")) }
            bytes += digits.utf8
        }
    }
}
