/// Numbers of a fixed number of digits, as times are written with.
enum DecimalFields {
    /// A number with zeros before it.
    static func padded(_ value: Int, _ digitCount: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, digitCount - digits.utf8.count)) + digits
    }

    /// The fraction of a second with its point: none, 3, 6 or 9 digits.
    static func fraction(nanos: Int) -> String {
        switch nanos {
        case 0: ""
        case _ where nanos % 1_000_000 == 0: "." + padded(nanos / 1_000_000, 3)
        case _ where nanos % 1_000 == 0: "." + padded(nanos / 1_000, 6)
        default: "." + padded(nanos, 9)
        }
    }

    /// Reads digits and characters forward.
    struct Reader {
        private let text: UnsafeRawBufferPointer
        private var offset = 0

        init(_ text: UnsafeRawBufferPointer) { self.text = text }

        var isAtEnd: Bool { offset == text.count }

        /// A number of exactly so many digits within a range.
        mutating func number(_ digitCount: Int, in range: ClosedRange<Int>) -> Int? {
            guard text.count - offset >= digitCount else { return nil }
            var value = 0
            for byte in text[offset..<offset + digitCount] {
                guard NumberText.isDigit(byte) else { return nil }
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
            }
            offset += digitCount
            return range.contains(value) ? value : nil
        }

        /// A number of one digit or more that is at most a limit.
        mutating func number(upTo limit: Int64) -> Int64? {
            let start = offset
            var value: Int64 = 0
            while offset < text.count, NumberText.isDigit(text[offset]) {
                value = value * 10 + Int64(text[offset] - UInt8(ascii: "0"))
                guard value <= limit else { return nil }
                offset += 1
            }
            return offset > start ? value : nil
        }

        /// Reads a character if it is there.
        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard offset < text.count, text[offset] == UInt8(ascii: character) else { return false }
            offset += 1
            return true
        }

        /// A point and one to nine digits as nanoseconds; 0 if there is no point.
        mutating func fraction() -> Int? {
            guard skip(".") else { return 0 }
            let digitCount = text[offset...].prefix { NumberText.isDigit($0) }.count
            guard (1...9).contains(digitCount), var nanos = number(digitCount, in: 0...999_999_999)
            else { return nil }
            for _ in digitCount..<9 { nanos *= 10 }
            return nanos
        }
    }
}
