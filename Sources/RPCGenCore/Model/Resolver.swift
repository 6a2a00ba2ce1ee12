internal import NetpollProtobuf

/// Turns parsed files into finished descriptors: names become absolute, options are interpreted, and
/// what protoc would refuse is reported.
///
/// Files are resolved one at a time, each after those that it imports.
struct Resolver {
    var table = SymbolTable()
    var diagnostics = Diagnostics()

    /// What is being resolved.
    var file = ParsedFile(path: "")
    var fileIndex = 0
    var visibility: Visibility
    /// The fields of the current file by what they number.
    var fieldsByNumber: [NumberKey: SymbolTable.ID] = [:]
    /// The map field whose generated message is being linked.
    var mapPath: [Int32]?
    /// Bytes of resolved names that the current file may still have.
    private var nameBudget = Self.nameBudgetMinimum
    private var hasErrors = false

    struct NumberKey: Hashable {
        let message: SymbolTable.ID
        let number: Int32
    }

    /// How many bytes of resolved names a file may have for each of its own, and at least.
    ///
    /// Without this limit a short reference to a type with a very long name could fill the memory.
    private static let nameAmplificationLimit = 64
    private static let nameBudgetMinimum = 64 << 20

    init() { visibility = Visibility() }

    /// Resolves a file.
    ///
    /// - Parameters:
    ///   - parsed: The file.
    ///   - byteCount: Its size.
    ///   - dependencies: The numbers of the files that it imports.
    /// - Returns: The finished descriptor and the file's number, or `nil` after an error was reported.
    mutating func resolve(_ parsed: ParsedFile, byteCount: Int, dependencies: [Int]) -> (
        descriptor: Google_Protobuf_FileDescriptorProto, number: Int
    )? {
        file = parsed
        hasErrors = false
        fieldsByNumber = [:]
        let (allowed, isHuge) = byteCount.multipliedReportingOverflow(
            by: Self.nameAmplificationLimit
        )
        nameBudget = max(Self.nameBudgetMinimum, isHuge ? .max : allowed)
        fileIndex = table.files.count
        declareFile(dependencies)
        visibility = Visibility(of: fileIndex, importing: dependencies, in: table)
        linkFile()
        if !hasErrors { interpretOptions() }
        if !hasErrors { validateFile(dependencies) }
        return hasErrors ? nil : (file.descriptor, fileIndex)
    }

    /// The names of one file without imports, its options not interpreted.
    static func declaring(_ parsed: ParsedFile) -> SymbolTable {
        var resolver = Resolver()
        resolver.file = parsed
        resolver.declareFile([])
        resolver.visibility = Visibility(of: 0, importing: [], in: resolver.table)
        resolver.linkFile()
        return resolver.table
    }

    mutating func fail(_ path: [Int32], _ message: String) {
        hasErrors = true
        guard !diagnostics.isFull else { return }
        diagnostics.add(file.path, file.location(path), message)
    }

    /// The absolute name of a symbol as descriptors hold it.
    mutating func absoluteName(_ id: SymbolTable.ID, at path: [Int32]) -> String {
        let name = "." + table.fullName(id)
        nameBudget -= name.utf8.count
        if nameBudget < 0 {
            fail(path, "the names of types, written in full, take too much memory")
        }
        return nameBudget < 0 ? "." : name
    }
}
