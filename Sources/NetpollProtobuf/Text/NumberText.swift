/// Numbers as JSON writes them.
enum NumberText {
    /// The end of the number that begins at an offset, or `nil` if none does.
    static func end(in text: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var offset = start
        func byte() -> UInt8? { offset < text.count ? text[offset] : nil }
        func skipDigits() -> Int {
            let first = offset
            while let next = byte(), isDigit(next) { offset += 1 }
            return offset - first
        }
        if byte() == UInt8(ascii: "-") { offset += 1 }
        if byte() == UInt8(ascii: "0") {
            offset += 1
        } else {
            guard skipDigits() > 0 else { return nil }
        }
        if byte() == UInt8(ascii: ".") {
            offset += 1
            guard skipDigits() > 0 else { return nil }
        }
        if byte() == UInt8(ascii: "e") || byte() == UInt8(ascii: "E") {
            offset += 1
            if byte() == UInt8(ascii: "+") || byte() == UInt8(ascii: "-") { offset += 1 }
            guard skipDigits() > 0 else { return nil }
        }
        return offset
    }

    /// Whether a whole text is a number.
    static func isNumber(_ text: UnsafeRawBufferPointer) -> Bool {
        end(in: text, from: 0) == text.count
    }

    /// The value of a number if it is whole, however it is written, and fits.
    static func integer<I: FixedWidthInteger>(_ text: UnsafeRawBufferPointer) -> I? {
        var digits = text[...]
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits = digits.dropFirst() }
        let magnitude: UInt64?
        if digits.count <= 19, digits.allSatisfy(isDigit) {
            magnitude = digits.reduce(0) { $0 * 10 + UInt64($1 - UInt8(ascii: "0")) }
        } else {
            magnitude = wholeNumber(digits)
        }
        guard let magnitude else { return nil }
        guard isNegative else { return I(exactly: magnitude) }
        if magnitude == 1 << 63 { return I(exactly: Int64.min) }
        return Int64(exactly: magnitude).flatMap { I(exactly: -$0) }
    }

    /// The value of a number without a sign.
    private static func wholeNumber(_ text: Slice<UnsafeRawBufferPointer>) -> UInt64? {
        let mantissa = text.prefix { $0 != UInt8(ascii: "e") && $0 != UInt8(ascii: "E") }
        let point = mantissa.firstIndex(of: UInt8(ascii: ".")) ?? mantissa.endIndex
        let fractionDigits = max(0, mantissa.endIndex - point - 1)
        var digits = mantissa.filter(isDigit)[...].drop { $0 == UInt8(ascii: "0") }
        var power = exponent(text[mantissa.endIndex...]) - fractionDigits
        while digits.last == UInt8(ascii: "0") {
            digits = digits.dropLast()
            power += 1
        }
        if digits.isEmpty { return 0 }
        let mostDigits = 20
        guard power >= 0, power <= mostDigits, digits.count + power <= mostDigits else {
            return nil
        }
        var value: UInt64 = 0
        for digit in digits + ArraySlice(repeating: UInt8(ascii: "0"), count: power) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    /// The exponent, kept within what no number of digits can make up for.
    private static func exponent(_ text: Slice<UnsafeRawBufferPointer>) -> Int {
        let limit = 1 << 40
        var value = 0
        for digit in text where isDigit(digit) {
            value = min(limit, value * 10 + Int(digit - UInt8(ascii: "0")))
        }
        return text.contains(UInt8(ascii: "-")) ? -value : value
    }

    /// The nearest value of a number, or `nil` if that would be infinite.
    static func float<F: BinaryFloatingPoint & LosslessStringConvertible>(
        _ text: UnsafeRawBufferPointer
    ) -> F? {
        F(String(decoding: text, as: UTF8.self)).flatMap { $0.isFinite ? $0 : nil }
    }

    static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
