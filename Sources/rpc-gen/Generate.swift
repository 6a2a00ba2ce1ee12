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

    @Flag(help: .hidden)
    var partOfRuntime = false

    @Argument(help: "The .proto files, as paths or relative to an import root.")
    var files: [String]

    func run() throws {
        let (all, requested) = try readInput()
        var options = GeneratorOptions()
        options.visibility = visibility
        options.fileNaming = fileNaming
        options.isPartOfRuntime = partOfRuntime
        let generator = SwiftGenerator(all, options: options)
        let generated = try requested.map { try generator.generate($0).reported() }
        var sources: [String: String] = [:]
        for (file, source) in zip(generated, requested) {
            if let other = sources.updateValue(source, forKey: file.path) {
                throw ValidationError("\(other) and \(source) would both become \(file.path)")
            }
        }
        for file in generated {
            let path = "\(Files.withoutTrailingSlash(out))/\(file.path)"
            guard Files.write(Array(file.content.utf8), to: path) else {
                throw ValidationError("cannot write \(path)")
            }
            print(path)
        }
    }

    private func readInput() throws -> (
        files: [Google_Protobuf_FileDescriptorProto], requested: [String]
    ) {
        guard let path = descriptorSetIn else {
            let compiled = try input.compile(files)
            return (compiled.files, compiled.requested)
        }
        guard let bytes = Files.read(path) else { throw ValidationError("cannot read \(path)") }
        do {
            let set = try Google_Protobuf_FileDescriptorSet(serializedBytes: bytes)
            return (set.file, files)
        } catch {
            throw ValidationError("\(path) is not a descriptor set: \(error.message)")
        }
    }
}

extension GeneratorOptions.Visibility: ExpressibleByArgument {}
extension GeneratorOptions.FileNaming: ExpressibleByArgument {}
