internal import ArgumentParser
internal import RPCGenCore

/// `rpc-gen scaffold`.
struct ScaffoldCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scaffold",
        abstract: "Writes a package with a server, a client and handlers for a service.",
        discussion: """
            Example: rpc-gen scaffold Greeter --proto hello.proto -I Protos

            Files that exist stay as they are, but for generated code, which is renewed, and for \
            handlers, which get the methods that they lack.
            """
    )

    @Argument(help: "The package's name; its modules are called NAME, NAMEServer and NAMEClient.")
    var name: String

    @Option(help: "A .proto file with a service; may be repeated.")
    var proto: [String]

    @OptionGroup var input: ImportRoots

    @Option(help: "Where the package goes; a folder of its name by default.")
    var out: String?

    @Option(
        help: ArgumentHelp(
            "The folder or the URL of netpoll-swift; the folder that rpc-gen was built in by default.",
            valueName: "path-or-url"
        )
    )
    var netpoll: String?

    func validate() throws {
        if proto.isEmpty { throw ValidationError("name a file with --proto") }
    }

    func run() throws {
        let folder = Files.withoutTrailingSlash(out ?? name)
        func read(_ path: String) -> String? {
            Files.read("\(folder)/\(path)").map { String(decoding: $0, as: UTF8.self) }
        }
        let target = "Sources/\(name)"
        let scaffold = Scaffold(
            try request(),
            try input.compile(proto),
            sources: Files.swiftFiles(below: "\(folder)/\(target)").map { "\(target)/\($0)" },
            read: read
        )
        let files: [GeneratedFile]
        do {
            files = try scaffold.files()
        } catch let failure as CompilationFailure {
            for error in failure.errors { Files.printError("\(error)") }
            throw ExitCode.failure
        } catch {
            throw Files.failure("\(error)")
        }
        for file in files {
            let path = "\(folder)/\(file.path)"
            guard Files.write(Array(file.content.utf8), to: path) else {
                throw Files.failure("cannot write \(path)")
            }
            print(path)
        }
        if files.isEmpty { print("\(folder) is up to date") }
    }

    private func request() throws -> Scaffold.Request {
        guard let source = netpoll ?? Files.packageFolder(named: "netpoll-swift") else {
            throw Files.failure("say with --netpoll where netpoll-swift is")
        }
        let location = Files.withoutTrailingSlash(source)
        let isURL = location.contains("://")
        let path = isURL ? location : Files.absolute(location)
        var identity = path.split(separator: "/").last.map(String.init) ?? path
        if identity.hasSuffix(".git") { identity.removeLast(".git".count) }
        return Scaffold.Request(
            name: name,
            dependency: isURL
                ? ".package(url: \"\(path)\", branch: \"main\")" : ".package(path: \"\(path)\")",
            dependencyIdentity: identity.lowercased()
        )
    }
}
