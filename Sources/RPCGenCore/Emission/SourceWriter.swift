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

    /// Adds indented lines between two others.
    mutating func lines(_ opening: String, _ closing: String, _ body: (inout SourceWriter) -> Void)
    {
        line(opening)
        depth += 1
        body(&self)
        depth -= 1
        line(closing)
    }

    /// Adds a `.proto` comment as a documentation comment.
    mutating func comment(_ comment: String?) {
        guard let comment else { return }
        var lines = comment.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var line = line
            while let last = line.last, last == " " || last == "\t" || last == "\r" {
                line.removeLast()
            }
            return line
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        while lines.first?.allSatisfy({ $0 == " " }) == true { lines.removeFirst() }
        for line in lines {
            self.line(line.isEmpty ? "///" : line.hasPrefix(" ") ? "///\(line)" : "/// \(line)")
        }
    }
}
