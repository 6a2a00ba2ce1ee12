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
        let byName = Dictionary(uniqueKeysWithValues: compiled.files.map { ($0.name, $0) })
        var set = Google_Protobuf_FileDescriptorSet()
        set.file =
            includeImports ? compiled.files : unique(compiled.requested).compactMap { byName[$0] }
        if !includeSourceInfo {
            for index in set.file.indices { set.file[index].clearSourceCodeInfo() }
        }
        guard Files.write(try set.serializedBytes(), to: out) else {
            throw ValidationError("cannot write \(out)")
        }
    }

    /// The names in their order, each once.
    private func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }
}
