/// Reads JSON (RFC 8259) forward, strictly: no comments, no trailing commas, no loose numbers.
///
/// The bytes must be UTF-8; whoever makes a reader has checked that.
struct JSONReader {
    /// What begins at the present place.
    enum Kind: String {
        case object, array, string, number, bool, null
    }

    private let bytes: UnsafeRawBufferPointer
    private var offset = 0
    /// Where the last value or key begins that was looked at, for errors about what it says.
    private var tokenStart = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The kind of the next value, which is not read yet.
    mutating func peek() throws(ProtobufError) -> Kind {
        skipSpace()
        guard offset < bytes.count else { throw ended() }
        tokenStart = offset
        switch bytes[offset] {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        default: throw malformed("a value was expected")
        }
    }

    /// Demands that nothing follows.
    mutating func end() throws(ProtobufError) {
        skipSpace()
        guard offset == bytes.count else { throw malformed("text follows the end of the value") }
    }

    // MARK: Plain values

    mutating func null() throws(ProtobufError) { try word("null") }

    mutating func bool() throws(ProtobufError) -> Bool {
        guard try peek() == .bool else { throw malformed("true or false was expected") }
        let value = bytes[offset] == UInt8(ascii: "t")
        try word(value ? "true" : "false")
        return value
    }

    /// The text of a number.
    mutating func number() throws(ProtobufError) -> UnsafeRawBufferPointer {
        skipSpace()
        let start = offset
        guard let end = NumberText.end(in: bytes, from: start) else {
            throw malformed("a number was expected")
        }
        offset = end
        return UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    }

    mutating func string() throws(ProtobufError) -> JSONText {
        skipSpace()
        guard offset < bytes.count else { throw ended() }
        guard bytes[offset] == UInt8(ascii: "\"") else { throw malformed("a string was expected") }
        tokenStart = offset
        offset += 1
        let start = offset
        var hasEscapes = false
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: "\""):
                defer { offset += 1 }
                let raw = UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
                return JSONText(raw: raw, hasEscapes: hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                guard let length = JSONText.escapeLength(in: bytes, at: offset) else {
                    throw malformed("an escape in a string is not valid")
                }
                offset += length
            case 0..<0x20: throw malformed("a string has a control character without an escape")
            default: offset += 1
            }
        }
        throw ended()
    }

    // MARK: Objects and arrays

    mutating func beginObject() throws(ProtobufError) { try character("{") }
    mutating func beginArray() throws(ProtobufError) { try character("[") }

    /// The next key of an object, with its colon; `nil` at the object's end.
    mutating func nextKey(_ isFirst: inout Bool) throws(ProtobufError) -> JSONText? {
        if try isAtEnd("}", &isFirst) { return nil }
        let key = try string()
        try character(":")
        return key
    }

    /// Whether an array has one more element; at its end the bracket is read.
    mutating func hasNextElement(_ isFirst: inout Bool) throws(ProtobufError) -> Bool {
        !(try isAtEnd("]", &isFirst))
    }

    /// Reads a closing bracket or, between two elements, the comma.
    private mutating func isAtEnd(_ bracket: Unicode.Scalar, _ isFirst: inout Bool)
        throws(ProtobufError) -> Bool
    {
        skipSpace()
        if offset < bytes.count, bytes[offset] == UInt8(ascii: bracket) {
            offset += 1
            return true
        }
        if isFirst { isFirst = false } else { try character(",") }
        return false
    }

    /// Reads over a value of any kind, with at most `depth` levels of objects and arrays.
    mutating func skipValue(depth: Int) throws(ProtobufError) {
        switch try peek() {
        case .null: try null()
        case .bool: _ = try bool()
        case .number: _ = try number()
        case .string: _ = try string()
        case .object:
            guard depth > 0 else { throw tooDeep() }
            try beginObject()
            var isFirst = true
            while try nextKey(&isFirst) != nil { try skipValue(depth: depth - 1) }
        case .array:
            guard depth > 0 else { throw tooDeep() }
            try beginArray()
            var isFirst = true
            while try hasNextElement(&isFirst) { try skipValue(depth: depth - 1) }
        }
    }

    // MARK: Pieces

    private mutating func skipSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x0A, 0x0D, 0x09: offset += 1
            default: return
            }
        }
    }

    private mutating func character(_ expected: Unicode.Scalar) throws(ProtobufError) {
        skipSpace()
        guard offset < bytes.count else { throw ended() }
        guard bytes[offset] == UInt8(ascii: expected) else {
            throw malformed("'\(expected)' was expected")
        }
        offset += 1
    }

    private mutating func word(_ expected: StaticString) throws(ProtobufError) {
        skipSpace()
        let end = offset + expected.utf8CodeUnitCount
        guard end <= bytes.count,
            bytes[offset..<end].elementsEqual(
                UnsafeBufferPointer(
                    start: expected.utf8Start,
                    count: expected.utf8CodeUnitCount
                )
            )
        else { throw malformed("'\(expected)' was expected") }
        offset = end
    }

    // MARK: Errors

    /// An error in what the last value or key says.
    func error(_ code: ProtobufError.Code, _ reason: String) -> ProtobufError {
        ProtobufError(code, reason, offset: tokenStart)
    }

    func tooDeep() -> ProtobufError { error(.tooDeep, "values are nested too deeply") }

    private func malformed(_ reason: String) -> ProtobufError {
        ProtobufError(.malformed, reason, offset: offset)
    }

    private func ended() -> ProtobufError {
        ProtobufError(.truncated, "the text ends inside a value", offset: offset)
    }
}

/// A string of a JSON text as it stands there; its escapes were checked.
struct JSONText {
    let raw: UnsafeRawBufferPointer
    let hasEscapes: Bool

    /// The characters without escapes, in UTF-8.
    var utf8: [UInt8] {
        guard hasEscapes else { return Array(raw) }
        var result: [UInt8] = []
        result.reserveCapacity(raw.count)
        var offset = 0
        while offset < raw.count {
            guard raw[offset] == UInt8(ascii: "\\"),
                let length = Self.escapeLength(in: raw, at: offset)
            else {
                result.append(raw[offset])
                offset += 1
                continue
            }
            result += Self.character(in: raw, at: offset).utf8
            offset += length
        }
        return result
    }

    var string: String { String(decoding: utf8, as: UTF8.self) }

    /// Calls `body` with the characters without escapes, in UTF-8.
    func withUTF8<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        hasEscapes ? utf8.withUnsafeBytes(body) : body(raw)
    }

    /// The number of bytes of the escape at an offset, or `nil` if it is not valid; two escapes that
    /// make one character count as one.
    static func escapeLength(in text: UnsafeRawBufferPointer, at offset: Int) -> Int? {
        guard offset + 1 < text.count else { return nil }
        guard text[offset + 1] == UInt8(ascii: "u") else {
            return simpleEscape(text[offset + 1]) == nil ? nil : 2
        }
        guard let unit = unit(in: text, at: offset) else { return nil }
        if UTF16.isLeadSurrogate(unit) {
            guard let trail = self.unit(in: text, at: offset + 6), UTF16.isTrailSurrogate(trail)
            else { return nil }
            return 12
        }
        return UTF16.isTrailSurrogate(unit) ? nil : 6
    }

    /// The number behind `\u`.
    private static func unit(in text: UnsafeRawBufferPointer, at offset: Int) -> UInt16? {
        guard offset + 6 <= text.count, text[offset] == UInt8(ascii: "\\"),
            text[offset + 1] == UInt8(ascii: "u")
        else { return nil }
        var unit: UInt16 = 0
        for byte in text[offset + 2..<offset + 6] {
            guard let digit = hexDigit(byte) else { return nil }
            unit = unit << 4 | digit
        }
        return unit
    }

    private static func hexDigit(_ byte: UInt8) -> UInt16? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    private static func simpleEscape(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): byte
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: nil
        }
    }

    /// The character of a valid escape.
    private static func character(in text: UnsafeRawBufferPointer, at offset: Int) -> String {
        if let byte = simpleEscape(text[offset + 1]) {
            return String(decoding: CollectionOfOne(byte), as: UTF8.self)
        }
        let units = [offset, offset + 6].compactMap { unit(in: text, at: $0) }
        guard let first = units.first else { return "" }
        return String(decoding: UTF16.isLeadSurrogate(first) ? units : [first], as: UTF16.self)
    }
}
