public import NetpollProtobuf

/// What a compilation made.
public struct CompiledFiles: Sendable {
    /// All files, each behind those that it imports.
    public let files: [Google_Protobuf_FileDescriptorProto]
    /// The names of the files that were asked for.
    public let requested: [String]
}

/// Why files could not be compiled.
public struct CompilationFailure: Error, Sendable {
    /// Everything that was found, at most 100 errors.
    public let errors: [Diagnostic]
}

/// Reads `.proto` files with everything they import, and resolves their names.
///
/// It does not touch the file system: whoever makes it says how files are read. The well-known files
/// `google/protobuf/*.proto` need not be there, they are built in.
public struct ProtoCompiler {
    /// Returns the content of the file at a path, or `nil` if there is none.
    public typealias ReadFile = (_ path: String) -> [UInt8]?

    /// What became of a file.
    private enum State {
        /// It is being read, and so are those that import it.
        case loading
        /// With its number in the resolver.
        case compiled(Int)
        case broken
        case missing
    }

    private let importRoots: [String]
    private let readFile: ReadFile

    /// By the bytes of names: strings are equal when their letters are, however they are written.
    private var states: [[UInt8]: State] = [:]
    private var files: [Google_Protobuf_FileDescriptorProto] = []
    private var resolver = Resolver()
    /// The files that are being read, each imported by the one before it.
    private var chain: [(name: String, importing: Int, file: ParsedFile)] = []

    /// A chain of imports longer than this is an error, not a stack overflow.
    private static let importDepthLimit = 200

    /// Creates a compiler.
    ///
    /// - Parameters:
    ///   - importRoots: Where imports are looked for, first root first.
    ///   - readFile: How files are read.
    public init(importRoots: [String], readFile: @escaping ReadFile) {
        self.importRoots = importRoots
        self.readFile = readFile
    }

    /// Compiles files and all that they import.
    ///
    /// - Parameter names: Names as imports would write them, relative to an import root.
    /// - Returns: The files, or everything that is wrong with them.
    public mutating func compile(_ names: [String]) -> Result<CompiledFiles, CompilationFailure> {
        for name in names {
            guard case .missing = load(name) else { continue }
            resolver.diagnostics.add(
                name,
                .start,
                "file not found in \(importRoots.joined(separator: ", "))"
            )
        }
        guard resolver.diagnostics.isEmpty else {
            return .failure(CompilationFailure(errors: resolver.diagnostics.errors))
        }
        return .success(CompiledFiles(files: files, requested: names))
    }

    /// Compiles a file after its imports.
    private mutating func load(_ name: String) -> State {
        let key = Array(name.utf8)
        if let state = states[key] { return state }
        guard Self.isCanonical(name), let bytes = read(name) else {
            states[key] = .missing
            return .missing
        }
        states[key] = .loading
        let (file, errors) = Parser.parse(bytes, path: name)
        resolver.diagnostics.add(errors)
        chain.append((name, 0, file))
        let dependencies = loadImports(of: file)
        chain.removeLast()
        var state = State.broken
        if errors.isEmpty, let dependencies,
            let (descriptor, number) = resolver.resolve(
                file,
                byteCount: bytes.count,
                dependencies: dependencies
            )
        {
            files.append(descriptor)
            state = .compiled(number)
        }
        states[key] = state
        return state
    }

    /// Loads what a file imports; `nil` if something is wrong with it, which has been reported.
    private mutating func loadImports(of file: ParsedFile) -> [Int]? {
        var numbers: [Int] = []
        var seen: Set<[UInt8]> = []
        for (index, dependency) in file.descriptor.dependency.enumerated() {
            chain[chain.count - 1].importing = index
            let key = Array(dependency.utf8)
            if !seen.insert(key).inserted {
                report("import \"\(dependency)\" is listed twice")
                continue
            }
            if chain.count >= Self.importDepthLimit, states[key] == nil {
                report("imports are nested more than \(Self.importDepthLimit) deep")
                continue
            }
            // Imports are relative to a root.
            switch dependency.hasPrefix("/") ? .missing : load(dependency) {
            case .compiled(let number): numbers.append(number)
            case .loading: reportCircle(dependency)
            case .missing: report("import \"\(dependency)\" was not found")
            case .broken: break
            }
        }
        return numbers.count == file.descriptor.dependency.count ? numbers : nil
    }

    /// Reports an error at the import at which a file of the chain is, by default the last file.
    private mutating func report(_ message: String, position: Int? = nil) {
        let (name, importing, file) = chain[position ?? chain.count - 1]
        let path = [PathNumber.File.dependency, Int32(clamping: importing)]
        resolver.diagnostics.add(name, file.location(path), message)
    }

    /// Reports that a file imports itself, where the circle begins.
    private mutating func reportCircle(_ name: String) {
        guard let start = chain.firstIndex(where: { $0.name == name }) else { return }
        let circle = (chain[start...].map(\.name) + [name]).joined(separator: " -> ")
        report("file recursively imports itself: \(circle)", position: start)
    }

    private func read(_ name: String) -> [UInt8]? {
        for root in importRoots {
            if let bytes = readFile(root.isEmpty ? name : "\(root)/\(name)") { return bytes }
        }
        return BundledFiles.text(name).map { Array($0.utf8) }
    }

    /// Whether a file has this name only: two names for one file would make two files of it.
    private static func isCanonical(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return !parts.isEmpty
            && parts.enumerated().allSatisfy { index, part in
                part != "." && part != ".." && (!part.isEmpty || index == 0 && parts.count > 1)
            }
    }
}
