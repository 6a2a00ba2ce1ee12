import NetpollProtobuf
import NetpollTesting
import RPCGenCore
import Testing

/// Compiles files that exist only in the test.
func compile(_ files: [String: String], _ requested: [String] = ["a.proto"]) -> Result<
    CompiledFiles, CompilationFailure
> {
    var compiler = ProtoCompiler(importRoots: [""]) { files[$0].map { Array($0.utf8) } }
    return compiler.compile(requested)
}

/// The errors of one file, or none.
func errors(_ text: String, _ others: [String: String] = [:]) -> [String] {
    var files = others
    files["a.proto"] = text
    guard case .failure(let failure) = compile(files) else { return [] }
    return failure.errors.map(\.description)
}

@Suite("ProtoCompiler")
struct CompilerTests {
    /// The line and column of the first error, and a part of its text.
    private static let broken: [(text: String, place: String, message: String)] = [
        ("syntax = \"proto4\";", "1:10", "unrecognized syntax identifier"),
        ("edition = \"2023\";", "1:1", "editions are not supported"),
        ("syntax = \"proto3\";\nmessage A { int32 a = 1 }", "2:25", "expected ';'"),
        ("syntax = \"proto3\";\nmessage A {", "2:12", "has no '}'"),
        ("syntax = \"proto3\";\nmessage A { B b = 1; }", "2:13", "\"B\" is not defined"),
        (
            "syntax = \"proto3\";\nmessage A { int32 a = 1; int32 b = 1; }", "2:36",
            "has already been used"
        ),
        (
            "syntax = \"proto3\";\nmessage A { int32 a = 1; int32 a = 2; }", "2:32",
            "already defined"
        ),
        ("syntax = \"proto3\";\nmessage A { int32 a = 0; }", "2:23", "must lie within"),
        ("syntax = \"proto3\";\nmessage A { int32 a = 536870912; }", "2:23", "must lie within"),
        (
            "syntax = \"proto3\";\nmessage A { int32 a = 19500; }", "2:23",
            "reserved for the protobuf"
        ),
        (
            "syntax = \"proto3\";\nmessage A { reserved 2 to 5; int32 a = 3; }", "2:40",
            "reserved number"
        ),
        ("syntax = \"proto3\";\nmessage A { reserved \"a\"; int32 a = 3; }", "2:33", "is reserved"),
        ("syntax = \"proto3\";\nmessage A { reserved 1 to 5, 4; }", "2:9", "overlaps"),
        (
            "syntax = \"proto3\";\nmessage A { required int32 a = 1; }", "2:13",
            "not allowed in proto3"
        ),
        (
            "syntax = \"proto3\";\nmessage A { int32 a = 1 [default = 3]; }", "2:26",
            "default values"
        ),
        ("syntax = \"proto3\";\nenum E { A = 1; }", "2:14", "must be zero"),
        ("syntax = \"proto3\";\nenum E { A = 0; B = 0; }", "2:21", "allow_alias"),
        ("syntax = \"proto3\";\nenum E { }", "2:1", "has no values"),
        ("syntax = \"proto3\";\nenum E { A = 0; }\nenum F { A = 0; }", "3:10", "siblings"),
        ("syntax = \"proto3\";\nmessage A { oneof o { } }", "2:13", "has no fields"),
        (
            "syntax = \"proto3\";\nmessage A { oneof o { repeated int32 a = 1; } }", "2:23",
            "no label"
        ),
        ("syntax = \"proto3\";\nmessage A { map<float, int32> a = 1; }", "2:17", "a map's key"),
        (
            "syntax = \"proto3\";\nmessage A { int32 foo_bar = 1; int32 fooBar = 2; }", "2:38",
            "JSON name"
        ),
        ("syntax = \"proto3\";\nimport \"missing.proto\";", "2:8", "was not found"),
        ("syntax = \"proto3\";\nimport \"a.proto\";", "2:8", "recursively imports"),
        ("syntax = \"proto3\";\nservice S { rpc M(int32) returns (A); }", "2:19", "is not defined"),
        ("syntax = \"proto3\";\nmessage A { string s = 1; // \u{1F600}\n € }", "3:2", "non-ASCII"),
        (
            "syntax = \"proto3\";\nmessage A { string s = 1 [json_name = \"abc }", "2:39",
            "string has no end"
        ),
        ("syntax = \"proto3\"; /* ", "1:20", "comment has no end"),
        ("message A { int32 a = 1; }", "1:13", "expected \"required\""),
        ("syntax = \"proto3\";\npackage a;\npackage b;", "3:1", "only one package"),
        ("syntax = \"proto3\";\n}", "2:1", "top-level statement"),
    ]

    @Test("mistakes are told with their place", arguments: broken.indices)
    func mistakes(index: Int) throws {
        let (text, place, message) = Self.broken[index]
        let first = try #require(errors(text).first, "no error in \(text)")
        #expect(first.hasPrefix("a.proto:\(place): error: "), "\(first) for \(text)")
        #expect(first.contains(message), "\(first) for \(text)")
    }

    @Test("one run tells of several mistakes")
    func several() {
        let found = errors(
            "syntax = \"proto3\";\nmessage A { int32 = 1; int32 b = ; int32 c = 3; }\nmessage B { rpc; }\nenum E { X = 0 }"
        )
        #expect(found.count == 4)
    }

    @Test("a type must be imported, directly or publicly")
    func imports() {
        let point = "syntax = \"proto3\"; package p; message Point { int32 x = 1; }"
        let user = "syntax = \"proto3\"; import \"b.proto\"; message A { p.Point point = 1; }"
        let hidden = errors(
            user,
            ["b.proto": "syntax = \"proto3\"; import \"c.proto\";", "c.proto": point]
        )
        #expect(hidden.count == 1 && hidden[0].contains("\"c.proto\", which is not imported"))
        let shown = errors(
            user,
            ["b.proto": "syntax = \"proto3\"; import public \"c.proto\";", "c.proto": point]
        )
        #expect(shown.isEmpty)
    }

    @Test("names are looked for from the inside out")
    func scopes() throws {
        let text = """
            syntax = "proto3"; package a.b;
            message Outer { message Inner { Kind kind = 1; .a.b.Kind far = 2; Outer outer = 3; } enum Kind { NEAR = 0; } }
            enum Kind { FAR = 0; }
            """
        let file = try compile(["a.proto": text]).get().files[0]
        let fields = file.messageType[0].nestedType[0].field
        #expect(fields.map(\.typeName) == [".a.b.Outer.Kind", ".a.b.Kind", ".a.b.Outer"])
        #expect(fields.map(\.type) == [.enum, .enum, .message])
    }

    @Test(
        "hostile files are errors: deep nesting, endless imports, large and random input",
        .timeLimit(.minutes(1))
    )
    func hostile() {
        let deep = "syntax = \"proto3\";" + String(repeating: "message A {", count: 100_000)
        #expect(errors(deep).contains { $0.contains("nested more than") })
        let braces = "syntax = \"proto3\"; option o = " + String(repeating: "{", count: 100_000)
        #expect(!errors(braces).isEmpty)
        var chain: [String: String] = [:]
        for number in 0..<1000 {
            chain["\(number).proto"] = "syntax = \"proto3\"; import \"\(number + 1).proto\";"
        }
        #expect(
            errors("syntax = \"proto3\"; import \"0.proto\";", chain).contains {
                $0.contains("nested more than")
            }
        )
        #expect(
            errors("syntax = \"proto3\"; package \(String(repeating: "a", count: 1 << 20));")
                .isEmpty
        )
        #expect(
            errors(
                "syntax = \"proto3\"; message A { int32 a = \(String(repeating: "9", count: 1 << 16)); }"
            ).count == 1
        )
    }

    @Test("mutated files compile or are refused", arguments: 0..<10)
    func mutations(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let text = Array(
            """
            syntax = "proto3"; package p; import "b.proto";
            // A comment.
            message A { map<string, A> m = 1 [deprecated = true]; oneof o { bytes b = 2; E e = 3; } reserved 4, 6 to max; }
            enum E { option allow_alias = true; X = 0; Y = -0x1F; Z = 0; }
            service S { rpc M(A) returns (stream A) { option idempotency_level = IDEMPOTENT; } }
            """.utf8
        )
        for _ in 0..<300 {
            var bytes = text
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255,
                    using: &random
                )
            }
            var compiler = ProtoCompiler(importRoots: [""]) {
                $0 == "a.proto" ? bytes : Array("syntax = \"proto3\";".utf8)
            }
            guard case .success(let compiled) = compiler.compile(["a.proto"]) else { continue }
            _ = SwiftGenerator(compiled.files).generate("a.proto")
        }
    }
}
