public import ArgumentParser
internal import NetpollProtobuf
public import RPCGenCore

/// `rpc-gen generate`.
struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes Swift messages, services and clients.",
        discussion: "Example: rpc-gen generate -I Protos --out Sources/Generated echo.proto"
    )

    @OptionGroup var input: ImportRoots

    @Option(help: "Where the Swift files go; it is created if it does not exist.")
    var out: String

    @Option(help: "Who may see the generated types: public, package or internal.")
    var visibility: GeneratorOptions.Visibility = .internal

    @Option(help: "Where dir/name.proto goes: full-path, path-to-underscores or drop-path.")
    var fileNaming: GeneratorOptions.FileNaming = .fullPath

    @Option(help: "Read a FileDescriptorSet instead of .proto files; FILE names files in it.")
    var descriptorSetIn: String?

    @Option(
        help: ArgumentHelp(
            "What stands before the names of top-level types, instead of the package.",
            valueName: "prefix"
        )
    )
    var swiftPrefix: String?

    @Option(
        name: .customLong("module-map"),
        help: ArgumentHelp(
            "The module that has the types of a .proto file, or of all in a folder (PATH/).",
            valueName: "module=path"
        )
    )
    var moduleMappings: [GeneratorOptions.ModuleMapping] = []

    @Flag(
        help: "Messages, enums and extensions; like the next three, only what is named is written."
    )
    var messages = false

    @Flag(help: "Both sides of services.")
    var services = false

    @Flag(help: "What a server implements.")
    var server = false

    @Flag(help: "Clients.")
    var client = false

    @Flag(help: "Write nothing; exit with 1, and say which, if files on disk are not up to date.")
    var check = false

    @Flag(
        inversion: .prefixedNo,
        help: "Let services carry the descriptors of their files, for reflection."
    )
    var descriptors = true

    @Flag(help: "Write nothing; print what would be written.")
    var dryRun = false

    @Flag(help: .hidden)
    var partOfRuntime = false

    @Argument(help: "The .proto files, as paths or relative to an import root.")
    var files: [String]

    func validate() throws {
        if check, dryRun { throw ValidationError("choose --check or --dry-run") }
        if let swiftPrefix, !GeneratorOptions.isPrefix(swiftPrefix) {
            throw ValidationError("\"\(swiftPrefix)\" cannot begin a Swift name")
        }
    }

    func run() throws {
        let (all, requested) = try readInput()
        let generator = SwiftGenerator(all, options: options)
        let generated = try requested.map { try generator.generate($0).reported() }
        var sources: [String: String] = [:]
        for (file, source) in zip(generated, requested) {
            if let other = sources.updateValue(source, forKey: file.path) {
                throw Files.failure("\(other) and \(source) would both become \(file.path)")
            }
        }
        if check { return try compare(generated) }
        for file in generated {
            let path = self.path(file)
            guard dryRun || Files.write(Array(file.content.utf8), to: path) else {
                throw Files.failure("cannot write \(path)")
            }
            print(path)
        }
    }

    private var options: GeneratorOptions {
        var options = GeneratorOptions()
        options.visibility = visibility
        options.fileNaming = fileNaming
        options.swiftPrefix = swiftPrefix
        options.moduleMappings = moduleMappings
        options.embedsDescriptors = descriptors
        options.isPartOfRuntime = partOfRuntime
        var selected: GeneratorOptions.Contents = []
        if messages { selected.insert(.messages) }
        if services { selected.formUnion(.services) }
        if server { selected.insert(.server) }
        if client { selected.insert(.client) }
        if !selected.isEmpty { options.contents = selected }
        return options
    }

    private func path(_ file: GeneratedFile) -> String {
        "\(Files.withoutTrailingSlash(out))/\(file.path)"
    }

    private func compare(_ generated: [GeneratedFile]) throws {
        var isUpToDate = true
        for file in generated where Files.read(path(file)) != Array(file.content.utf8) {
            isUpToDate = false
            Files.printError("\(path(file)): error: not up to date; run rpc-gen generate again")
        }
        if !isUpToDate { throw ExitCode.failure }
    }

    private func readInput() throws -> (
        files: [Google_Protobuf_FileDescriptorProto], requested: [String]
    ) {
        guard let path = descriptorSetIn else {
            let compiled = try input.compile(files)
            return (compiled.files, compiled.requested)
        }
        guard let bytes = Files.read(path) else { throw Files.failure("cannot read \(path)") }
        do {
            let set = try Google_Protobuf_FileDescriptorSet(serializedBytes: bytes)
            return (set.file, files)
        } catch {
            throw Files.failure("\(path) is not a descriptor set: \(error.message)")
        }
    }
}

extension GeneratorOptions.Visibility: ExpressibleByArgument {}
extension GeneratorOptions.FileNaming: ExpressibleByArgument {}
extension GeneratorOptions.ModuleMapping: ExpressibleByArgument {
    /// Reads `MODULE=PATH`.
    public init?(argument: String) { self.init(argument) }
}
