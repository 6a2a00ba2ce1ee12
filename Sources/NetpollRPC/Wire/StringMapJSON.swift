/// JSON objects whose values are all strings: the form of `biz-extra` (RFC 8259).
///
/// The one place where this wire holds JSON, so it is read here instead of by a library that would
/// bring Foundation along.
enum StringMapJSON {
    /// The object, with keys in order so that equal maps give equal text.
    static func encode(_ map: [String: String]) -> String {
        let members = map.sorted { $0.key < $1.key }.map { "\(quote($0.key)):\(quote($0.value))" }
        return "{\(members.joined(separator: ","))}"
    }

    private static func quote(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// The map, or `nil` when the text is anything but an object of strings.
    static func decode(_ text: String) -> [String: String]? {
        var reader = Reader(rest: text.unicodeScalars[...])
        guard let map = reader.object(), reader.isAtEnd else { return nil }
        return map
    }

    private struct Reader {
        var rest: Substring.UnicodeScalarView

        var isAtEnd: Bool {
            mutating get {
                skipSpace()
                return rest.isEmpty
            }
        }

        mutating func object() -> [String: String]? {
            guard take("{") else { return nil }
            var map: [String: String] = [:]
            if take("}") { return map }
            repeat {
                guard let key = string(), take(":"), let value = string() else { return nil }
                map[key] = value
            } while take(",")
            return take("}") ? map : nil
        }

        private mutating func skipSpace() {
            while let first = rest.first,
                first == " " || first == "\n" || first == "\r" || first == "\t"
            {
                rest.removeFirst()
            }
        }

        private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            skipSpace()
            guard rest.first == scalar else { return false }
            rest.removeFirst()
            return true
        }

        private mutating func string() -> String? {
            guard take("\"") else { return nil }
            var units: [UInt16] = []
            while let scalar = rest.popFirst() {
                switch scalar {
                case "\"": return String(decoding: units, as: UTF16.self)
                case "\\":
                    guard let unit = escape() else { return nil }
                    units.append(unit)
                case _ where scalar.value < 0x20: return nil
                default: units += Array(String(scalar).utf16)
                }
            }
            return nil
        }

        private mutating func escape() -> UInt16? {
            switch rest.popFirst() {
            case "\"": 0x22
            case "\\": 0x5C
            case "/": 0x2F
            case "b": 0x08
            case "f": 0x0C
            case "n": 0x0A
            case "r": 0x0D
            case "t": 0x09
            case "u": hexadecimal()
            default: nil
            }
        }

        private mutating func hexadecimal() -> UInt16? {
            let digits = rest.prefix(4)
            guard digits.count == 4, digits.allSatisfy({ $0.properties.isASCIIHexDigit }) else {
                return nil
            }
            rest.removeFirst(4)
            return UInt16(String(digits), radix: 16)
        }
    }
}
