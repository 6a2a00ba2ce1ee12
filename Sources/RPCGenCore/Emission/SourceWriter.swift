/// Collects lines of Swift with their indentation.
struct SourceWriter {
    private(set) var text = ""
    private var depth = 0

    /// Adds a line; an empty one has no indentation.
    mutating func line(_ content: String = "") {
        if !content.isEmpty { text += String(repeating: "    ", count: depth) + content }
        text += "\n"
    }

    /// Adds a line that opens a block, the block, and its closing brace.
    mutating func block(_ opening: String, _ body: (inout SourceWriter) -> Void) {
        line(opening + " {")
        depth += 1
        body(&self)
        depth -= 1
        line("}")
    }

    /// Adds lines between two others, indented if not said otherwise.
    mutating func lines(
        _ opening: String,
        _ closing: String,
        indents: Bool = true,
        _ body: (inout SourceWriter) -> Void
    ) {
        line(opening)
        if indents { depth += 1 }
        body(&self)
        if indents { depth -= 1 }
        line(closing)
    }

    /// Adds indented lines.
    mutating func indented(_ body: (inout SourceWriter) -> Void) {
        depth += 1
        body(&self)
        depth -= 1
    }

    /// Adds a function's signature, broken as late as its length allows.
    mutating func signature(
        _ name: String,
        _ parameters: [String],
        _ effects: String,
        _ result: String
    ) {
        let head = "\(name)(\(parameters.joined(separator: ", "))) \(effects)"
        if depth * 4 + head.count > Self.columnLimit {
            call(name, parameters, end: " \(effects) \(result)")
        } else if depth * 4 + head.count + 1 + result.count > Self.columnLimit {
            line(head)
            line("    \(result)")
        } else {
            line("\(head) \(result)")
        }
    }

    /// Adds a call on one line, or with an argument a line when it would be too long.
    mutating func call(_ name: String, _ arguments: [String], end: String = "") {
        let short = "\(name)(\(arguments.joined(separator: ", ")))\(end)"
        guard depth * 4 + short.count > Self.columnLimit else { return line(short) }
        lines("\(name)(", ")\(end)") { writer in
            for (position, argument) in arguments.enumerated() {
                writer.line(argument + (position + 1 < arguments.count ? "," : ""))
            }
        }
    }

    /// Adds a literal with as many elements on a line as fit.
    mutating func fill(_ opening: String, _ elements: [String]) {
        let short = "\(opening)[\(elements.joined(separator: ", "))]"
        guard depth * 4 + short.count > Self.columnLimit else { return line(short) }
        lines("\(opening)[", "]") { writer in
            var row = ""
            for element in elements {
                if !row.isEmpty, writer.depth * 4 + row.count + element.count + 2 > Self.columnLimit
                {
                    writer.line(row)
                    row = ""
                }
                row += (row.isEmpty ? "" : " ") + element + ","
            }
            writer.line(row)
        }
    }

    private static let columnLimit = 100

    /// Notes that something is deprecated, without the warnings that an attribute would cause in
    /// the generated file itself.
    mutating func deprecation(_ isDeprecated: Bool, _ what: String) {
        guard isDeprecated else { return }
        line("/// - Note: This \(what) is marked as deprecated in the `.proto` file.")
    }

    /// Adds a `.proto` comment as a documentation comment.
    mutating func comment(_ comment: String?) {
        guard let comment else { return }
        // For Swift a carriage return ends a line too; with a line feed it is one character.
        let parts = comment.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        var lines = parts.map { line in
            var line = line
            while let last = line.last, last == " " || last == "\t" { line.removeLast() }
            return line
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        while lines.first?.allSatisfy({ $0 == " " }) == true { lines.removeFirst() }
        for line in lines {
            self.line(line.isEmpty ? "///" : line.hasPrefix(" ") ? "///\(line)" : "/// \(line)")
        }
    }
}
