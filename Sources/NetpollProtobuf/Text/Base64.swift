/// Bytes as text of 64 characters (RFC 4648).
package enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
    )

    /// The values of characters, of the usual alphabet and of that for URLs; `noDigit` for others.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: noDigit, count: 256)
        for (value, character) in alphabet.enumerated() {
            values[Int(character)] = UInt8(value)
        }
        values[Int(UInt8(ascii: "-"))] = 62
        values[Int(UInt8(ascii: "_"))] = 63
        return values
    }()
    private static let noDigit: UInt8 = 0xFF

    /// The text of some bytes, with padding.
    package static func encoded(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        bytes.withUnsafeBytes { encode($0, to: &text) }
        return text
    }

    /// The bytes of a text, or `nil` if it is not such a text.
    package static func decoded(_ text: StaticString) -> [UInt8]? {
        var bytes: [UInt8] = []
        let isGood = text.withUTF8Buffer { decode(UnsafeRawBufferPointer($0), to: &bytes) }
        return isGood ? bytes : nil
    }

    /// Appends the text of some bytes, with padding.
    static func encode(_ bytes: UnsafeRawBufferPointer, to text: inout [UInt8]) {
        text.reserveCapacity(text.count + (bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var group: UInt32 = 0
            for offset in 0..<3 {
                group = group << 8 | (offset < count ? UInt32(bytes[start + offset]) : 0)
            }
            for digit in 0..<4 {
                text.append(
                    digit <= count
                        ? alphabet[Int(group >> UInt32(18 - 6 * digit) & 63)] : UInt8(ascii: "=")
                )
            }
        }
    }

    /// Appends the bytes of a text in either alphabet, with or without padding.
    ///
    /// - Returns: False if it is not such a text.
    static func decode(_ text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) -> Bool {
        var digits = text[...]
        while digits.last == UInt8(ascii: "="), text.count - digits.count < 2 {
            digits = digits.dropLast()
        }
        let isPadded = digits.count < text.count
        guard digits.count % 4 != 1, !isPadded || text.count % 4 == 0 else { return false }
        var group: UInt32 = 0
        var bitCount: UInt32 = 0
        for character in digits {
            let value = values[Int(character)]
            guard value != noDigit else { return false }
            group = group << 6 | UInt32(value)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: group >> bitCount))
            }
        }
        return true
    }
}
