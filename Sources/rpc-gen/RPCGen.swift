public import ArgumentParser
public import RPCGenCore

/// The command line of the generator.
@main
struct RPCGen: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rpc-gen",
        abstract: "Turns .proto files into Swift.",
        subcommands: [Generate.self]
    )
}

/// `rpc-gen generate`.
struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes Swift messages, services and clients.",
        discussion: "Example: rpc-gen generate -I Protos --out Sources/Generated echo.proto"
    )

    @Option(
        name: [.customShort("I"), .customLong("import-root")],
        help: "Where imports are looked for; may be repeated."
    )
    var importRoots: [String] = []

    @Option(help: "Where the Swift files go; it is created if it does not exist.")
    var out: String

    @Option(help: "Who may see the generated types: public, package or internal.")
    var visibility: GeneratorOptions.Visibility = .internal

    @Flag(help: .hidden)
    var partOfRuntime = false

    @Argument(help: "The .proto files, as paths or relative to an import root.")
    var files: [String]

    func run() throws {
        let roots = importRoots.isEmpty ? ["."] : importRoots.map(Files.withoutTrailingSlash)
        var compiler = ProtoCompiler(importRoots: roots, readFile: Files.read)
        let compiled = try compiler.compile(files.map { Files.relative($0, to: roots) }).reported()
        var options = GeneratorOptions()
        options.visibility = visibility
        options.isPartOfRuntime = partOfRuntime
        let generator = SwiftGenerator(compiled.files, options: options)
        let generated = try compiled.requested.map { try generator.generate($0).reported() }
        for file in generated {
            let path = "\(Files.withoutTrailingSlash(out))/\(file.path)"
            guard Files.write(file.content, to: path) else {
                throw ValidationError("cannot write \(path)")
            }
            print(path)
        }
    }
}

extension GeneratorOptions.Visibility: ExpressibleByArgument {}

extension Result where Failure == CompilationFailure {
    /// The value, or an exit with the errors on standard error.
    fileprivate func reported() throws -> Success {
        switch self {
        case .success(let value): return value
        case .failure(let failure):
            for error in failure.errors { Files.printError("\(error)") }
            throw ExitCode.failure
        }
    }
}
