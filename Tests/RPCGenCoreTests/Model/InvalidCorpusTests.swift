import RPCGenCore
import Testing

/// A file that is wrong, and the first error of it: `### name line:column message` before its text.
struct InvalidCase: CustomTestStringConvertible, Sendable {
    let name: String
    let place: String
    let message: String
    let text: String

    var testDescription: String { name }

    /// All cases of the corpus, in the order of its files.
    static let all: [InvalidCase] = Corpus.files(in: "invalid").flatMap { file in
        let content = Corpus.read("\(Corpus.folder)/invalid/\(file)") ?? []
        return parse(String(decoding: content, as: UTF8.self))
    }

    private static func parse(_ content: String) -> [InvalidCase] {
        var cases: [InvalidCase] = []
        var header: [Substring] = []
        var lines: [Substring] = []
        func finish() {
            guard header.count == 3 else { return }
            cases.append(
                InvalidCase(
                    name: String(header[0]),
                    place: String(header[1]),
                    message: String(header[2]),
                    text: lines.joined(separator: "\n") + "\n"
                )
            )
        }
        for line in content.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("### ") {
                finish()
                header = line.dropFirst(4).split(separator: " ", maxSplits: 2)
                lines = []
            } else {
                lines.append(line)
            }
        }
        finish()
        return cases
    }
}

@Suite("Files that protoc refuses")
struct InvalidCorpusTests {
    private static let library = Corpus.folder + "/valid"

    @Test("the corpus is there") func count() { #expect(InvalidCase.all.count >= 300) }

    @Test("the first error is the expected one", arguments: InvalidCase.all)
    func mistakes(item: InvalidCase) throws {
        var compiler = ProtoCompiler(importRoots: ["", Self.library]) {
            $0 == item.name + ".proto" ? Array(item.text.utf8) : Corpus.read($0)
        }
        guard case .failure(let failure) = compiler.compile([item.name + ".proto"]) else {
            return #expect(Bool(false), "the file was accepted")
        }
        let expected = "\(item.name).proto:\(item.place): error: \(item.message)"
        #expect(failure.errors.first?.description == expected)
    }

    @Test(
        "protoc refuses the file at the same place",
        .enabled(if: Protoc.isInstalled),
        arguments: InvalidCase.all
    )
    func protoc(item: InvalidCase) {
        let folder = TemporaryFolder()
        let name = item.name + ".proto"
        #expect(Corpus.write(Array(item.text.utf8), to: "\(folder.path)/\(name)"))
        let result = Protoc.run(
            "-I \(folder.path) -I \(Self.library) --descriptor_set_out=\(folder.path)/set \(name)"
        )
        #expect(result.status != 0)
        // protoc does not say of every error where it is.
        let errors = result.output.split(separator: "\n").filter {
            $0.hasPrefix(name) && !$0.contains("warning:")
        }
        let places = errors.compactMap { line -> String? in
            let parts = line.dropFirst(name.count).split(separator: ":")
            guard parts.count >= 2, Int(parts[0]) != nil, Int(parts[1]) != nil else { return nil }
            return "\(parts[0]):\(parts[1])"
        }
        #expect(places.isEmpty || places.contains(item.place), "\(result.output)")
    }
}
