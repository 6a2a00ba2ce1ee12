import NetpollProtobuf
import RPCGenCore
import Testing

/// `Corpus/golden` has what protoc 3.21 makes of each file of `Corpus/valid`, with source
/// information; Scripts/update-golden-descriptors writes it.
@Suite("Files that protoc accepts")
struct ValidCorpusTests {
    static let names = Corpus.files(in: "valid")
    private static let root = Corpus.folder + "/valid"

    private func set(_ name: String) throws -> Google_Protobuf_FileDescriptorSet {
        let compiled = try Corpus.compile(name, in: [Self.root]).get()
        return .with { $0.file = compiled.files.filter { $0.name == name } }
    }

    @Test("the corpus is there") func count() { #expect(Self.names.count >= 25) }

    @Test("descriptors are those that protoc wrote", arguments: names)
    func golden(name: String) throws {
        let path = "\(Corpus.folder)/golden/\(name.dropLast(".proto".count)).bin"
        let golden = try #require(Corpus.read(path), "run Scripts/update-golden-descriptors")
        let ours = try set(name).serializedBytes()
        let decoded = try Google_Protobuf_FileDescriptorSet(serializedBytes: ours)
        let expected = try Google_Protobuf_FileDescriptorSet(serializedBytes: golden)
        for (ours, theirs) in zip(decoded.file, expected.file) {
            compare(ours.sourceCodeInfo, theirs.sourceCodeInfo)
        }
        #expect(decoded == expected)
    }

    /// Places one by one, as nobody finds a difference among hundreds.
    private func compare(
        _ ours: Google_Protobuf_SourceCodeInfo,
        _ theirs: Google_Protobuf_SourceCodeInfo
    ) {
        for (index, (own, other)) in zip(ours.location, theirs.location).enumerated()
        where own != other {
            #expect(own == other, "location \(index)")
            return
        }
        #expect(ours.location.count == theirs.location.count)
    }

    @Test(
        "descriptors are those that protoc writes",
        .enabled(if: Protoc.isInstalled),
        arguments: names
    )
    func protoc(name: String) throws {
        let folder = TemporaryFolder()
        let result = Protoc.run(
            "-I \(Self.root) --include_source_info --descriptor_set_out=\(folder.path)/set \(name)"
        )
        #expect(result.status == 0, "\(result.output)")
        let theirs = try #require(Corpus.read(folder.path + "/set"))
        let ours = try set(name).serializedBytes()
        let decoded = try Google_Protobuf_FileDescriptorSet(serializedBytes: ours)
        #expect(try decoded == Google_Protobuf_FileDescriptorSet(serializedBytes: theirs))
    }

    @Test("the well-known files are built in as they are in Protos", arguments: WellKnown.names)
    func builtIn(name: String) throws {
        let fromDisk = try Corpus.compile(name, in: [Corpus.protos]).get().files
        let builtIn = try Corpus.compile(name, in: ["/nowhere"]).get().files
        #expect(fromDisk == builtIn)
        #expect(builtIn.last?.sourceCodeInfo.location.isEmpty == false)
    }
}

private enum WellKnown {
    static let names = [
        "any", "api", "compiler/plugin", "descriptor", "duration", "empty", "field_mask",
        "source_context", "struct", "timestamp", "type", "wrappers",
    ].map { "google/protobuf/\($0).proto" }
}
