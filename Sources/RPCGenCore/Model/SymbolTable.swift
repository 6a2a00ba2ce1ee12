/// All names of a set of files, and which file may see which.
struct SymbolTable {
    enum Kind: String {
        case package, message, `enum`, field, oneof, service, method
        case enumValue = "enum value"
    }

    struct Symbol {
        let kind: Kind
        let path: String
    }

    private var symbols: [String: Symbol] = [:]
    /// For each file, itself and all files whose names it may use.
    private var visible: [String: Set<String>] = [:]

    /// Adds a name without a leading dot.
    ///
    /// Returns what has the name already, if anything.
    mutating func add(_ name: String, _ kind: Kind, path: String) -> Symbol? {
        if let existing = symbols[name] {
            // Any number of files may share a package.
            return existing.kind == .package && kind == .package ? nil : existing
        }
        symbols[name] = Symbol(kind: kind, path: path)
        return nil
    }

    mutating func setVisible(_ paths: Set<String>, to path: String) { visible[path] = paths }

    /// What a type reference found.
    enum Lookup {
        case found(String, Symbol)
        /// The name exists, but its file is not imported.
        case notImported(Symbol)
        /// The first part of the name was found, and the rest is not in it.
        case partial(String)
        case missing
    }

    /// Resolves a reference from within a scope, innermost first, as C++ does: the first scope that
    /// has the name's first part decides.
    func resolve(_ reference: String, scope: String, path: String) -> Lookup {
        if reference.hasPrefix(".") {
            return look(String(reference.dropFirst()), path) ?? .missing
        }
        let first = reference.prefix { $0 != "." }
        var scope = scope[...]
        var hidden: Symbol?
        while true {
            let prefix = scope.isEmpty ? "" : scope + "."
            switch look(prefix + String(first), path) {
            case .found(_, let symbol) where first.endIndex == reference.endIndex:
                // A field or method of the same name does not hide a type further out.
                if symbol.kind == .message || symbol.kind == .enum {
                    return .found(prefix + reference, symbol)
                }
            case .found(_, let symbol)
            where symbol.kind == .message || symbol.kind == .package || symbol.kind == .enum:
                switch look(prefix + reference, path) {
                case .found(let name, let target): return .found(name, target)
                case .notImported(let target): hidden = target
                default: if symbol.kind != .package { return .partial(prefix + String(first)) }
                }
            case .notImported(let symbol): hidden = hidden ?? symbol
            default: break
            }
            guard !scope.isEmpty else { break }
            scope = scope.lastIndex(of: ".").map { scope[..<$0] } ?? ""
        }
        return hidden.map { .notImported($0) } ?? .missing
    }

    private func look(_ name: String, _ path: String) -> Lookup? {
        guard let symbol = symbols[name] else { return nil }
        guard symbol.kind == .package || visible[path, default: []].contains(symbol.path) else {
            return .notImported(symbol)
        }
        return .found(name, symbol)
    }
}
