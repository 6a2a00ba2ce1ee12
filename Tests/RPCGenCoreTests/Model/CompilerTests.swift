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
    @Test("one run tells of several mistakes, also in several files")
    func several() {
        let found = errors(
            """
            syntax = "proto3";
            message A { int32 = 1; int32 b = ; int32 c = 3; }
            message B { rpc; }
            enum E { X = 0 }
            """
        )
        #expect(found.count == 4, "\(found)")
        let broken = "syntax = \"proto3\"; message A { Missing m = 1; Gone g = 2; }"
        let imports = "syntax = \"proto3\"; import \"b.proto\"; import \"c.proto\";"
        let all = errors(imports, ["b.proto": broken, "c.proto": "message {}"])
        #expect(all.map { $0.prefix(8) } == ["b.proto:", "b.proto:", "c.proto:"], "\(all)")
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

    @Test("a circle of imports is told at the import with which it begins")
    func circles() {
        #expect(
            errors("syntax = \"proto3\";\nimport \"a.proto\";") == [
                "a.proto:2:1: error: file recursively imports itself: a.proto -> a.proto"
            ]
        )
        let found = errors(
            "syntax = \"proto3\";\n\nimport \"b.proto\";",
            ["b.proto": "syntax = \"proto3\";\nimport \"a.proto\";"]
        )
        #expect(
            found == [
                "a.proto:3:1: error: file recursively imports itself: a.proto -> b.proto -> a.proto"
            ]
        )
    }

    @Test("a file that is not there is an error")
    func missing() {
        guard case .failure(let failure) = compile([:], ["x.proto"]) else {
            return #expect(Bool(false), "it was found")
        }
        #expect(failure.errors.map(\.description) == ["x.proto:1:1: error: file not found in "])
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

    @Test("text that is not UTF-8 keeps its bytes in the descriptor set")
    func rawText() throws {
        let text =
            Array(
                "syntax = \"proto2\"; option java_package = \"\\xfd\";\n// Detached \u{1}\n\n// caf"
                    .utf8
            ) + [0xE9, 0x0A]
            + Array("message A { optional string s = 1 [default = \"\\xff\"]; // ".utf8)
            + [0xFC, 0x0A] + Array("}".utf8)
        var compiler = ProtoCompiler(importRoots: [""]) { $0 == "a.proto" ? text : nil }
        let bytes = try compiler.compile(["a.proto"]).get().files[0].serializedBytes()
        for expected in [
            [0x63, 0x61, 0x66, 0xE9, 0x0A], [0x20, 0xFC, 0x0A], [0x3A, 0x01, 0xFF],
            [0x0A, 0x01, 0xFD],
        ] {
            let isThere = bytes.indices.contains {
                bytes[$0...].starts(with: expected.map(UInt8.init))
            }
            #expect(isThere, "\(expected)")
        }
    }
}
