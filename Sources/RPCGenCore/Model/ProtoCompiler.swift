public import NetpollProtobuf

/// What a compilation made.
public struct CompiledFiles: Sendable {
    /// All files, each behind those that it imports.
    public let files: [Google_Protobuf_FileDescriptorProto]
    /// The names of the files that were asked for.
    public let requested: [String]
}

/// Reads `.proto` files with everything they import, and resolves their names.
///
/// It does not touch the file system: whoever makes it says how files are read. The files of
/// `google/protobuf` are at hand if no import root has them.
public struct ProtoCompiler {
    /// Returns the content of the file at a path, or `nil` if there is none.
    public typealias ReadFile = (_ path: String) -> [UInt8]?

    private let importRoots: [String]
    private let readFile: ReadFile

    private var files: [String: ParsedFile] = [:]
    private var order: [String] = []
    private var diagnostics = Diagnostics()

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
        for name in names where load(name, importers: []) == nil {
            diagnostics.add(
                name,
                .start,
                "file not found in \(importRoots.joined(separator: ", "))"
            )
        }
        guard diagnostics.isEmpty else {
            return .failure(CompilationFailure(errors: diagnostics.errors))
        }
        var resolver = Resolver(files: order.compactMap { files[$0] })
        let resolved = resolver.resolve()
        guard resolver.diagnostics.isEmpty else {
            return .failure(CompilationFailure(errors: resolver.diagnostics.errors))
        }
        return .success(CompiledFiles(files: resolved, requested: names))
    }

    /// Loads a file and its imports; `nil` if it does not exist.
    ///
    /// `importers` is the chain above it.
    private mutating func load(_ name: String, importers: [String]) -> Void? {
        guard files[name] == nil else { return () }
        guard let bytes = read(name) else { return nil }
        var (file, found) = Parser.parse(bytes, path: name)
        file.descriptor.name = name
        for error in found.errors { diagnostics.add(error.path, error.location, error.message) }
        let chain = importers + [name]
        for (index, dependency) in file.descriptor.dependency.enumerated() {
            let location = file.location([PathNumber.File.dependency, Int32(clamping: index)])
            if let start = chain.firstIndex(of: dependency) {
                let circle = (chain[start...] + [dependency]).joined(separator: " -> ")
                diagnostics.add(name, location, "file recursively imports itself: \(circle)")
            } else if chain.count >= Self.importDepthLimit {
                diagnostics.add(
                    name,
                    location,
                    "imports are nested more than \(Self.importDepthLimit) deep"
                )
            } else if load(dependency, importers: chain) == nil {
                diagnostics.add(name, location, "import \"\(dependency)\" was not found")
            }
        }
        files[name] = file
        order.append(name)
        return ()
    }

    private func read(_ name: String) -> [UInt8]? {
        for root in importRoots {
            if let bytes = readFile(root.isEmpty ? name : "\(root)/\(name)") { return bytes }
        }
        return BundledFiles.text(name).map { Array($0.utf8) }
    }
}

/// Why files could not be compiled.
public struct CompilationFailure: Error, Sendable {
    /// Everything that was found, at most 100 errors.
    public let errors: [Diagnostic]
}
