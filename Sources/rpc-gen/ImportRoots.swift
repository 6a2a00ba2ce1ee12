internal import ArgumentParser
internal import RPCGenCore

/// Where `.proto` files are, for every command that reads them.
struct ImportRoots: ParsableArguments {
    @Option(
        name: [.customShort("I", allowingJoined: true), .customLong("import-root")],
        help: "Where imports are looked for; may be repeated."
    )
    var importRoots: [String] = []

    /// Compiles files, or exits with the errors on standard error.
    func compile(_ files: [String]) throws -> CompiledFiles {
        let roots = importRoots.isEmpty ? ["."] : importRoots.map(Files.withoutTrailingSlash)
        var compiler = ProtoCompiler(importRoots: roots, readFile: Files.read)
        var names: [String] = []
        for file in files {
            do throws(InputPath.Shadowed) {
                names.append(try InputPath(file).name(in: roots, exists: Files.exists))
            } catch {
                Files.printError("\(file):1:1: error: an import would find \(error.other) instead")
                throw ExitCode.failure
            }
        }
        return try compiler.compile(names).reported()
    }
}

extension Result where Failure == CompilationFailure {
    /// The value, or an exit with the errors on standard error.
    func reported() throws -> Success {
        switch self {
        case .success(let value): return value
        case .failure(let failure):
            for error in failure.errors { Files.printError("\(error)") }
            throw ExitCode.failure
        }
    }
}
