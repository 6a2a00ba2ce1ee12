/// Swift source without its comments and the contents of its string literals, to look for
/// declarations in.
struct SwiftText {
    private let code: [UInt8]

    init(_ source: String) { code = Self.strip(Array(source.utf8)) }

    /// Whether it declares the type itself, not an extension of it.
    func declaresType(_ name: String) -> Bool {
        ["struct", "class", "actor", "enum"].contains { !places(of: [$0, name]).isEmpty }
    }

    /// Whether a declaration or an extension of the type has a method of that name.
    func hasMethod(_ method: String, of type: String) -> Bool {
        ["struct", "class", "actor", "enum", "extension"].contains { kind in
            places(of: [kind, type]).contains { start in
                !places(of: ["func", method], in: body(from: start)).isEmpty
            }
        }
    }

    /// The places behind some words that stand in a row with nothing but space between them.
    private func places(of words: [String], in range: Range<Int>? = nil) -> [Int] {
        var found: [Int] = []
        let range = range ?? code.indices
        var position = range.lowerBound
        while position < range.upperBound {
            let start = position
            var matches = 0
            var end = position
            for word in words {
                while end < range.upperBound, Self.isSpace(code[end]) { end += 1 }
                let wordEnd = wordEnd(from: end, range.upperBound)
                guard wordEnd > end,
                    Self.unquoted(code[end..<wordEnd]).elementsEqual(Self.unquoted(word.utf8))
                else { break }
                end = wordEnd
                matches += 1
            }
            if matches == words.count { found.append(end) }
            position = max(wordEnd(from: start, range.upperBound), start + 1)
        }
        return found
    }

    /// What stands between the next brace and the one that closes it.
    private func body(from start: Int) -> Range<Int> {
        guard let open = code[start...].firstIndex(of: UInt8(ascii: "{")) else {
            return code.count..<code.count
        }
        var depth = 0
        for position in open..<code.count {
            if code[position] == UInt8(ascii: "{") { depth += 1 }
            if code[position] == UInt8(ascii: "}") { depth -= 1 }
            if depth == 0 { return open + 1..<position }
        }
        return open + 1..<code.count
    }

    private func wordEnd(from start: Int, _ limit: Int) -> Int {
        var end = start
        while end < limit, Self.isWord(code[end]) { end += 1 }
        return end
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "`"), 0x80...:
            true
        default: false
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }

    private static func unquoted<Text: BidirectionalCollection<UInt8>>(_ word: Text)
        -> Text.SubSequence
    {
        let mark = UInt8(ascii: "`")
        guard word.count > 2, word.first == mark, word.last == mark else { return word[...] }
        return word.dropFirst().dropLast()
    }
}

// MARK: - Comments and literals

extension SwiftText {
    private static func strip(_ source: [UInt8]) -> [UInt8] {
        var code: [UInt8] = []
        var rest = source[...]
        while let byte = rest.first {
            if rest.starts(with: "//".utf8) {
                rest = rest.drop { $0 != 0x0A && $0 != 0x0D }
            } else if rest.starts(with: "/*".utf8) {
                rest = rest.dropFirst(commentByteCount(rest))
                code.append(0x20)
            } else if let count = literalByteCount(rest) {
                rest = rest.dropFirst(count)
                code.append(0x20)
            } else {
                code.append(byte)
                rest = rest.dropFirst()
            }
        }
        return code
    }

    /// Comments of this kind nest.
    private static func commentByteCount(_ source: ArraySlice<UInt8>) -> Int {
        var rest = source
        var depth = 0
        repeat {
            if rest.starts(with: "/*".utf8) {
                depth += 1
                rest = rest.dropFirst(2)
            } else if rest.starts(with: "*/".utf8) {
                depth -= 1
                rest = rest.dropFirst(2)
            } else {
                rest = rest.dropFirst()
            }
        } while depth > 0 && !rest.isEmpty
        return source.count - rest.count
    }

    /// How long the string literal is that begins here, if one does: `"`, `"""`, or either with
    /// number signs around it.
    ///
    /// What is interpolated counts as text.
    private static func literalByteCount(_ source: ArraySlice<UInt8>) -> Int? {
        let signs = source.prefix { $0 == UInt8(ascii: "#") }
        let quoted = source.dropFirst(signs.count)
        guard quoted.first == UInt8(ascii: "\"") else { return nil }
        let quotes = quoted.starts(with: "\"\"\"".utf8) ? 3 : 1
        let end = quoted.prefix(quotes) + signs
        let escape = [UInt8(ascii: "\\")] + signs
        var rest = quoted.dropFirst(quotes)
        while !rest.isEmpty {
            if rest.starts(with: end) { return source.count - rest.count + end.count }
            // One that does not end on its line is none.
            if quotes == 1, rest.first == 0x0A { break }
            rest = rest.dropFirst(rest.starts(with: escape) ? escape.count + 1 : 1)
        }
        return source.count - rest.count
    }
}
