/// Other names for top-level types whose own names mean something else where they are used: what is
/// declared in a message hides a type of the same name outside.
///
/// They belong to one file and are collected while it is written.
final class HiddenTypes {
    private let prefix: String
    private let typeNames: Set<String>
    private var scope: NameScope
    private var aliases: [String: String] = [:]

    /// - Parameters:
    ///   - prefix: What the names begin with; no other file's do.
    ///   - typeNames: The names of all types wherever they are declared, any of which may hide another.
    ///   - scope: The names that are taken at the top of the file.
    init(prefix: String, typeNames: Set<String>, scope: NameScope) {
        self.prefix = prefix
        self.typeNames = typeNames
        self.scope = scope
    }

    /// The other name of a top-level type.
    func alias(for name: String) -> String {
        if let alias = aliases[name] { return alias }
        if aliases.isEmpty { scope.add(typeNames) }
        let wanted = "\(prefix)_\(name)"
        let alias = wanted + scope.place("_") { [wanted + $0] }
        aliases[name] = alias
        return alias
    }

    func emit(_ visibility: String, to writer: inout SourceWriter) {
        for (name, alias) in aliases.sorted(by: { $0.key < $1.key }) {
            writer.line()
            writer.line("/// `\(name)`, which means something else in a message of this file.")
            writer.line("\(visibility) typealias \(alias) = \(name)")
        }
    }
}
