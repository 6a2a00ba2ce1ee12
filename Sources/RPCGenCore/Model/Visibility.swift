/// What one file may name: its own symbols, those of its imports, and those that its imports pass on
/// by public imports.
struct Visibility {
    private let files: Set<Int>
    private let packages: Set<SymbolTable.ID>

    /// Sees nothing.
    init() {
        files = []
        packages = []
    }

    /// - Parameters:
    ///   - file: The file's position in the table.
    ///   - dependencies: The positions of the files that it imports.
    ///   - table: Has the file and its dependencies.
    init(of file: Int, importing dependencies: [Int], in table: SymbolTable) {
        var files: Set = [file]
        var pending = dependencies
        while let next = pending.popLast() {
            if files.insert(next).inserted { pending += table.files[next].publicDependencies }
        }
        var packages: Set<SymbolTable.ID> = []
        for file in files {
            var package = table.files[file].package
            while package != SymbolTable.root, packages.insert(package).inserted {
                package = table[package].scope
            }
        }
        self.files = files
        self.packages = packages
    }

    func includes(file: Int) -> Bool { files.contains(file) }

    func includes(_ id: SymbolTable.ID, in table: SymbolTable) -> Bool {
        files.contains(table[id].file) || packages.contains(id)
    }
}

/// What a reference found.
struct Lookup {
    var found: SymbolTable.ID?
    /// A symbol of that name in a file that is not imported.
    var notImported: SymbolTable.ID?
    /// The full name that the reference was taken for because its first part was found, although the
    /// rest was not.
    var taken: String?
}

extension SymbolTable {
    /// Resolves a reference from within a scope, innermost first, as C++ does: the first scope that
    /// has the reference's first part decides.
    ///
    /// - Parameters:
    ///   - reference: A name, absolute if it begins with a dot.
    ///   - scope: Where the reference stands.
    ///   - visibility: What its file may name.
    ///   - typesOnly: Whether a field or method of the name does not hide a type further out.
    /// - Returns: What was found, or why nothing was.
    func resolve(
        _ reference: String,
        from scope: ID,
        _ visibility: Visibility,
        typesOnly: Bool = false
    ) -> Lookup {
        var lookup = Lookup()
        if reference.hasPrefix(".") {
            lookup.found = look(reference.dropFirst(), from: Self.root, visibility, &lookup)
            return lookup
        }
        let first = reference.prefix { $0 != "." }
        let isCompound = first.endIndex != reference.endIndex
        var scope = scope
        while scope != Self.root {
            if let found = look(first, from: scope, visibility, &lookup) {
                if isCompound, self[found].kind.isScope {
                    lookup.found = look(reference[...], from: scope, visibility, &lookup)
                    if lookup.found == nil { lookup.taken = fullName(scope) + "." + reference }
                    return lookup
                }
                if !isCompound, !typesOnly || self[found].kind.isType {
                    lookup.found = found
                    return lookup
                }
            }
            scope = self[scope].scope
        }
        lookup.found = look(reference[...], from: Self.root, visibility, &lookup)
        return lookup
    }

    private func look(
        _ name: Substring,
        from scope: ID,
        _ visibility: Visibility,
        _ lookup: inout Lookup
    ) -> ID? {
        guard let id = find(name, from: scope) else { return nil }
        guard visibility.includes(id, in: self) else {
            lookup.notImported = id
            return nil
        }
        return id
    }
}
