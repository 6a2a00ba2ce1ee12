// Checks the symbol graphs of a module: every public symbol that somebody wrote has documentation,
// what throws says so, and the module's page has a place for every type.
// Usage: check-symbols MODULE SYMBOL-GRAPH-FOLDER PAGE

import Foundation

struct SymbolGraph: Decodable {
    let symbols: [Symbol]
}

struct Symbol: Decodable {
    struct Kind: Decodable { let identifier: String }
    struct Fragment: Decodable { let kind: String, spelling: String }
    struct Location: Decodable {
        struct Position: Decodable { let line: Int }
        let uri: String
        let position: Position
    }
    struct DocComment: Decodable {
        struct Line: Decodable { let text: String }
        let lines: [Line]
    }

    let kind: Kind
    let pathComponents: [String]
    let declarationFragments: [Fragment]?
    let location: Location?
    let docComment: DocComment?

    var name: String { pathComponents.joined(separator: ".") }

    /// The compiler's own additions have no place; generated code takes its words from `.proto`
    /// files.
    var isWritten: Bool {
        guard let location else { return false }
        return !location.uri.contains("/Generated/")
    }

    var isExtension: Bool { kind.identifier == "swift.extension" }

    var text: String { (docComment?.lines ?? []).map(\.text).joined(separator: "\n") }

    /// Whether a function itself throws, and not a closure that it takes.
    var isThrowing: Bool {
        guard kind.identifier != "swift.typealias" else { return false }
        var depth = 0
        for fragment in declarationFragments ?? [] {
            if depth == 0, fragment.kind == "keyword", fragment.spelling == "throws" { return true }
            for character in fragment.spelling {
                if character == "(" { depth += 1 } else if character == ")" { depth -= 1 }
            }
        }
        return false
    }

    func complaint(_ words: String) -> String {
        let place = location.map {
            "\($0.uri.dropFirst("file://".count)):\($0.position.line + 1): "
        }
        return "\(place ?? "")\(name) \(words)"
    }
}

let arguments = CommandLine.arguments
guard arguments.count == 4 else { fatalError("usage: check-symbols MODULE FOLDER PAGE") }
let folder = URL(fileURLWithPath: arguments[2])
let symbols = try FileManager.default.contentsOfDirectory(
    at: folder,
    includingPropertiesForKeys: nil
)
.filter { $0.pathExtension == "json" }
.flatMap { try JSONDecoder().decode(SymbolGraph.self, from: Data(contentsOf: $0)).symbols }
let page = try String(contentsOfFile: arguments[3], encoding: .utf8)
let topics = page.range(of: "\n## Topics").map { page[$0.upperBound...] } ?? ""

var complaints: [String] = []
for symbol in symbols where !symbol.isExtension {
    if symbol.isWritten {
        if symbol.docComment == nil {
            complaints.append(symbol.complaint("has no documentation"))
        } else if symbol.isThrowing, !symbol.text.contains("Throws:") {
            complaints.append(symbol.complaint("does not say what it throws"))
        }
    }
    if symbol.pathComponents.count == 1, !topics.contains("``\(symbol.name)``") {
        complaints.append(symbol.complaint("has no place in \(arguments[3])"))
    }
}
for complaint in complaints.sorted() { print(complaint) }
print("\(arguments[1]): \(symbols.count) symbols, \(complaints.count) complaints")
exit(complaints.isEmpty ? 0 : 1)
