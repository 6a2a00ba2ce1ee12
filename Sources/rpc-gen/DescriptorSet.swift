internal import ArgumentParser
internal import NetpollProtobuf
internal import RPCGenCore

/// `rpc-gen descriptor-set`.
struct DescriptorSet: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes a FileDescriptorSet, as protoc --descriptor_set_out does.",
        discussion: "Example: rpc-gen descriptor-set -I Protos --out echo.bin echo.proto"
    )

    @OptionGroup var input: ImportRoots

    @Option(help: "The file to write.")
    var out: String

    @Flag(help: "Write the imported files too, each before those that import it.")
    var includeImports = false

    @Flag(help: "Keep comments and places in the source.")
    var includeSourceInfo = false

    @Argument(help: "The .proto files, as paths or relative to an import root.")
    var files: [String]

    func run() throws {
        let compiled = try input.compile(files)
        var set = Google_Protobuf_FileDescriptorSet()
        set.file = includeImports ? compiled.files : requestedFiles(of: compiled)
        if !includeSourceInfo {
            for index in set.file.indices { set.file[index].clearSourceCodeInfo() }
        }
        guard Files.write(try set.serializedBytes(), to: out) else {
            throw Files.failure("cannot write \(out)")
        }
    }

    /// The files that were asked for, each behind those of them that it imports itself.
    private func requestedFiles(of compiled: CompiledFiles) -> [Google_Protobuf_FileDescriptorProto]
    {
        let requested = Set(compiled.requested)
        let byName = Dictionary(
            compiled.files.lazy.filter { requested.contains($0.name) }.map { ($0.name, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        var seen: Set<String> = []
        var result: [Google_Protobuf_FileDescriptorProto] = []
        func add(_ name: String) {
            guard let file = byName[name], seen.insert(name).inserted else { return }
            for dependency in file.dependency { add(dependency) }
            result.append(file)
        }
        for name in compiled.requested { add(name) }
        return result
    }
}
