import NetpollProtobuf
import NetpollTesting
import RPCGenCore
import Testing

/// None of these may end in anything but an error or a descriptor, and all must be quick.
@Suite("Hostile files", .timeLimit(.minutes(1)))
struct HostileFileTests {
    private func repeated(_ text: String, _ count: Int) -> String {
        String(repeating: text, count: count)
    }

    @Test("deep nesting is an error")
    func nesting() {
        let deep = "syntax = \"proto2\";" + repeated("message A {", 100_000)
        #expect(errors(deep).contains { $0.contains("nested more than") })
        let groups =
            "syntax = \"proto2\"; message A {" + repeated("optional group G = 1 {", 100_000)
        #expect(errors(groups).contains { $0.contains("nested more than") })
        #expect(!errors("syntax = \"proto3\"; option o = " + repeated("{", 100_000)).isEmpty)
        #expect(!errors("syntax = \"proto3\"; message A { x " + repeated("{", 100_000)).isEmpty)
        #expect(!errors("syntax = \"proto3\"; " + repeated("[(<", 100_000)).isEmpty)
        #expect(!errors(repeated("}", 100_000)).isEmpty)
    }

    @Test("31 levels of messages are allowed, and no more", arguments: [31, 32])
    func nestingLimit(depth: Int) {
        let text = "syntax = \"proto3\";" + repeated("message A {", depth) + repeated("}", depth)
        #expect(errors(text).isEmpty == (depth == 31))
    }

    @Test("deep values of options are errors")
    func deepOptions() {
        let declaration = """
            syntax = "proto2"; import "google/protobuf/descriptor.proto";
            message M { optional M m = 1; reserved "gone"; }
            extend google.protobuf.FileOptions { optional M x = 50000; }

            """
        for (open, close) in [("m {", "}"), ("m <", ">"), ("gone {", "}"), ("[", "]")] {
            let start = open == "[" ? "gone: " : ""
            let value = start + repeated(open, 50_000) + repeated(close, 50_000)
            let found = errors(declaration + "option (x) = {" + value + "};")
            #expect(
                found.count == 1 && found[0].contains("nested"),
                "\(found.map { $0.prefix(200) })"
            )
        }
        let names = declaration + "option (x)" + repeated(".m", 50_000) + " = {};"
        #expect(errors(names).map { $0.contains("parts") } == [true])
    }

    @Test("large literals and names are read in linear time")
    func large() {
        let letters = repeated("a", 1 << 20)
        #expect(errors("syntax = \"proto3\"; message \(letters) { \(letters) a = 1; }").isEmpty)
        #expect(errors("syntax = \"proto3\"; package \(letters);").count == 1)
        #expect(errors("syntax = \"proto3\"; option java_package = \"\(letters)\";").isEmpty)
        #expect(errors("syntax = \"proto3\"; /*\(letters)*/ message A {} // \(letters)").isEmpty)
        let number = repeated("9", 1 << 20)
        #expect(errors("syntax = \"proto3\"; message A { int32 a = \(number); }").count >= 1)
        let float = "optional double d = 1 [default = \(number).\(number)];"
        #expect(errors("syntax = \"proto2\"; message A { \(float) }").isEmpty)
        let strings = "option java_package = \(repeated("\"a\" ", 200_000));"
        #expect(errors("syntax = \"proto3\"; \(strings)").isEmpty)
    }

    @Test("a long name that is referred to often does not fill the memory")
    func amplification() {
        let name = repeated("a", 1 << 20)
        let fields = (1...5000).map { "B f\($0) = \($0);" }.joined()
        let text = "syntax = \"proto3\"; message \(name) { message B {} \(fields) }"
        let found = errors(text)
        #expect(!found.isEmpty && found.allSatisfy { $0.contains("too much memory") })
    }

    @Test("a long name in whose scope much stands is not repeated for all of it")
    func longScopes() {
        let name = repeated("A", 1 << 20)
        let values = (0..<2000).map { "V\($0) = \($0);" }.joined()
        #expect(errors("syntax = \"proto3\"; enum \(name) { \(values) }").isEmpty)
        let fields = (1...2000).map { "int32 f\($0) = \($0) [deprecated = true];" }.joined()
        #expect(errors("syntax = \"proto3\"; message \(name) { \(fields) }").isEmpty)
        let items = repeated("m { } ", 2000)
        let options = """
            syntax = "proto3"; import "google/protobuf/descriptor.proto";
            message \(name) { message M { repeated M m = 1; } }
            extend google.protobuf.FileOptions { \(name).M x = 50000; }
            option (x) = { \(items) };
            """
        #expect(errors(options).isEmpty)
    }

    @Test("many options of many extension ranges do not fill the memory")
    func rangeOptions() {
        let ranges = (1...2000).map { "\($0)" }.joined(separator: ",")
        let options = (1...2000).map { "o\($0) = 1" }.joined(separator: ",")
        let text = "syntax = \"proto2\"; message A { extensions \(ranges) [\(options)]; }"
        #expect(errors(text).map { $0.contains("too many options") } == [true])
    }

    @Test("many of everything is read in linear time")
    func many() {
        let count = 10_000
        func text(_ body: (Int) -> String) -> String {
            "syntax = \"proto2\"; import \"google/protobuf/descriptor.proto\"; "
                + (1...count).map(body).joined()
        }
        #expect(errors(text { "message A\($0) {}" }).isEmpty)
        #expect(
            errors(
                text {
                    "extend google.protobuf.FileOptions { optional int32 x\($0) = \($0 + 1_000_000); }"
                }
            ).isEmpty
        )
        #expect(errors(text { _ in "option (x) = 1;" }).count == 1)
        let repeatedOption = "extend google.protobuf.FileOptions { repeated int32 x = 50000; }"
        #expect(errors(text { _ in "option (x) = 1;" } + repeatedOption).isEmpty)
        let ranges = (1...count).map { "\($0 * 3) to \($0 * 3 + 1)" }.joined(separator: ",")
        #expect(errors(text { _ in "" } + "message A { reserved \(ranges); }").isEmpty)
        #expect(errors(text { _ in "" } + "message A { extensions \(ranges); }").isEmpty)
        let overlapping = (1...count).map { "1 to \($0)" }.joined(separator: ",")
        #expect(errors(text { _ in "" } + "message A { reserved \(overlapping); }").count == 100)
        let maps = (1...count).map { "map<int32, int32> m\($0) = \($0 < 19000 ? $0 : $0 + 1000);" }
        #expect(errors(text { _ in "" } + "message A { \(maps.joined()) }").isEmpty)
        #expect(errors(text { _ in "message A {}" }).count == 100)
        #expect(errors(text { _ in "message A { B b = }" }).count == 100)
        #expect(errors(text { _ in "\u{1} € " }).count == 100)
    }

    @Test("a long chain of imports is an error")
    func imports() {
        var chain: [String: String] = [:]
        for number in 0..<1000 {
            chain["\(number).proto"] = "syntax = \"proto3\"; import \"\(number + 1).proto\";"
        }
        let found = errors("syntax = \"proto3\"; import \"0.proto\";", chain)
        #expect(found.contains { $0.contains("nested more than") })
    }

    @Test("files of noise are errors", arguments: 0..<5)
    func noise(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let bytes = (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        var compiler = ProtoCompiler(importRoots: [""]) { $0 == "a.proto" ? bytes : nil }
        guard case .failure = compiler.compile(["a.proto"]) else {
            return #expect(Bool(false), "noise of seed \(seed) was accepted")
        }
    }

    @Test("mutated files compile or are refused", arguments: ValidCorpusTests.names)
    func mutations(name: String) throws {
        let seed = UInt64(name.utf8.count)
        var random = SeededGenerator(seed: seed)
        let root = Corpus.folder + "/valid"
        let text = try #require(Corpus.read("\(root)/\(name)"))
        guard !text.isEmpty else { return }
        for _ in 0..<20 {
            var bytes = text
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[position] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.insert(bytes.randomElement(using: &random) ?? 0, at: position)
                default:
                    let end = min(bytes.count, position + Int.random(in: 1...20, using: &random))
                    bytes.removeSubrange(position..<end)
                    if bytes.isEmpty { bytes = text }
                }
            }
            var compiler = ProtoCompiler(importRoots: [root]) {
                $0 == "\(root)/a.proto" ? bytes : Corpus.read($0)
            }
            switch compiler.compile(["a.proto"]) {
            case .success(let compiled): #expect(compiled.files.last?.name == "a.proto")
            case .failure(let failure): #expect(!failure.errors.isEmpty, "seed \(seed)")
            }
        }
    }
}
