/// What number tokens stand for.
enum NumberLiteral {
    /// The value of a decimal, octal or hexadecimal integer, or `nil` above a bound.
    static func integer(_ text: String, max: UInt64 = .max) -> UInt64? {
        var digits = text.utf8[...]
        var radix: UInt64 = 10
        if digits.first == 0x30 {
            digits = digits.dropFirst()
            radix = 8
            if digits.first == 0x78 || digits.first == 0x58 {
                digits = digits.dropFirst()
                radix = 16
            }
        }
        var value: UInt64 = 0
        for byte in digits {
            guard let digit = byte.hexadecimalValue.map(UInt64.init), digit < radix else {
                return nil
            }
            let (product, tooLarge) = value.multipliedReportingOverflow(by: radix)
            let (sum, stillTooLarge) = product.addingReportingOverflow(digit)
            guard !tooLarge, !stillTooLarge else { return nil }
            value = sum
        }
        return value <= max ? value : nil
    }

    /// The value of a decimal number; infinity where it is too large for a double.
    static func double(_ text: String) -> Double {
        let hasSuffix = text.hasSuffix("f") || text.hasSuffix("F")
        // An exponent without digits has been reported by the lexer.
        return Double(hasSuffix ? String(text.dropLast()) : text) ?? 0
    }

    /// The float that a number means; what rounds to the largest one, half-way cases included, is the
    /// largest one, as in `protoc`.
    static func float(_ value: Double) -> Float {
        guard value.isFinite, value.magnitude <= 0x1.ffffffp+127 else { return Float(value) }
        let largest = Float.greatestFiniteMagnitude
        return min(max(Float(value), -largest), largest)
    }
}

/// What string tokens stand for.
enum StringLiteral {
    /// What stands for one byte behind a backslash.
    static let simpleEscapes: [UInt8: UInt8] = [
        0x61: 0x07, 0x62: 0x08, 0x66: 0x0C, 0x6E: 0x0A, 0x72: 0x0D, 0x74: 0x09, 0x76: 0x0B,
        0x5C: 0x5C, 0x3F: 0x3F, 0x27: 0x27, 0x22: 0x22,
    ]

    /// Adds the bytes that a literal with its quotes stands for.
    static func append(_ literal: ArraySlice<UInt8>, to result: inout [UInt8]) {
        guard let quote = literal.first else { return }
        var rest = literal.dropFirst()
        if rest.last == quote { rest = rest.dropLast() }
        while let byte = rest.popFirst() {
            if byte == 0x5C, let code = rest.popFirst() {
                appendEscape(code, &rest, to: &result)
            } else {
                result.append(byte)
            }
        }
    }

    private static func appendEscape(
        _ code: UInt8,
        _ rest: inout ArraySlice<UInt8>,
        to result: inout [UInt8]
    ) {
        switch code {
        case 0x30...0x37:
            var value = code - 0x30
            for _ in 0..<2 {
                guard let digit = rest.first, digit.isOctalDigit else { break }
                rest.removeFirst()
                // "\777" is one byte too; its highest bit is lost.
                value = value &* 8 &+ (digit - 0x30)
            }
            result.append(value)
        case 0x78: result.append(UInt8(truncatingIfNeeded: hexadecimal(&rest, digits: 2) ?? 0))
        case 0x75, 0x55:
            guard var scalar = hexadecimal(&rest, digits: code == 0x75 ? 4 : 8) else { return }
            joinSurrogates(&scalar, &rest)
            appendUTF8(scalar, to: &result)
        default: result.append(simpleEscapes[code] ?? 0x3F)
        }
    }

    /// Reads up to a number of hexadecimal digits; `nil` if there is none.
    private static func hexadecimal(_ rest: inout ArraySlice<UInt8>, digits: Int) -> UInt32? {
        var value: UInt32?
        for _ in 0..<digits {
            guard let digit = rest.first?.hexadecimalValue else { break }
            rest.removeFirst()
            value = (value ?? 0) &* 16 &+ UInt32(digit)
        }
        return value
    }

    /// Two escapes for the halves of a UTF-16 pair are one scalar.
    private static func joinSurrogates(_ scalar: inout UInt32, _ rest: inout ArraySlice<UInt8>) {
        guard (0xD800..<0xDC00).contains(scalar), rest.starts(with: [0x5C, 0x75]) else { return }
        var ahead = rest.dropFirst(2)
        guard let low = hexadecimal(&ahead, digits: 4), (0xDC00..<0xE000).contains(low) else {
            return
        }
        scalar = 0x10000 + ((scalar - 0xD800) << 10 | (low - 0xDC00))
        rest = ahead
    }

    /// Writes a scalar as UTF-8; a lone half of a UTF-16 pair too, as protoc does.
    private static func appendUTF8(_ scalar: UInt32, to result: inout [UInt8]) {
        func tail(_ shift: UInt32) -> UInt8 {
            0x80 | UInt8(truncatingIfNeeded: scalar >> shift & 0x3F)
        }
        func head(_ mark: UInt8, _ shift: UInt32) -> UInt8 {
            mark | UInt8(truncatingIfNeeded: scalar >> shift)
        }
        switch scalar {
        case 0..<0x80: result.append(UInt8(truncatingIfNeeded: scalar))
        case 0x80..<0x800: result += [head(0xC0, 6), tail(0)]
        case 0x800..<0x1_0000: result += [head(0xE0, 12), tail(6), tail(0)]
        case 0x1_0000..<0x11_0000: result += [head(0xF0, 18), tail(12), tail(6), tail(0)]
        default:
            let digits = String(scalar, radix: 16)
            result += Array(
                "\\U\(String(repeating: "0", count: 8 - digits.utf8.count))\(digits)".utf8
            )
        }
    }
}
