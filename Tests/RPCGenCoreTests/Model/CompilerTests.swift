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

    @Test("the message of a map's entries counts as a level")
    func mapDepth() {
        func file(_ depth: Int, _ field: String) -> String {
            let open = (0..<depth).map { "message M\($0) {" }.joined()
            return "syntax = \"proto3\"; \(open) \(field) " + String(repeating: "}", count: depth)
        }
        let map = "map<int32, int32> f = 1;"
        #expect(errors(file(30, map)).isEmpty)
        #expect(errors(file(31, "int32 f = 1;")).isEmpty)
        let found = errors(file(31, map))
        #expect(found.count == 1 && found[0].contains("nested more than"), "\(found)")
    }

    @Test("imports are relative to a root")
    func absoluteImport() {
        var compiler = ProtoCompiler(importRoots: ["dir"]) { path in
            switch path {
            case "dir/a.proto": Array("syntax = \"proto3\"; import \"/b.proto\";".utf8)
            case "dir//b.proto", "/b.proto": Array("syntax = \"proto3\";".utf8)
            default: nil
            }
        }
        guard case .failure(let failure) = compiler.compile(["a.proto"]) else {
            Issue.record("an absolute path was imported")
            return
        }
        #expect(failure.errors.map(\.message) == ["import \"/b.proto\" was not found"])
    }

    @Test("names are equal when their bytes are, not when their letters are")
    func normalForms() {
        let (composed, decomposed) = ("\u{E9}", "e\u{301}")
        #expect(composed == decomposed)
        let names = "reserved \"\(composed)\", \"\(decomposed)\";"
        #expect(
            errors("syntax = \"proto2\"; message A { \(names) } enum E { X = 0; \(names) }").isEmpty
        )
        let imports = "import \"\(composed).proto\"; import \"\(decomposed).proto\";"
        var compiler = ProtoCompiler(importRoots: [""]) { path in
            if path == "a.proto" { return Array("syntax = \"proto3\"; \(imports)".utf8) }
            let isComposed = path.utf8.elementsEqual("\(composed).proto".utf8)
            return Array("syntax = \"proto3\"; message \(isComposed ? "B" : "C") {}".utf8)
        }
        #expect(throws: Never.self) { try compiler.compile(["a.proto"]).get() }
    }

    @Test("a number half-way above the largest float is the largest float")
    func largestFloat() throws {
        let text = """
            syntax = "proto2";
            message A {
              optional float a = 1 [default = 3.4028235677973366e+38];
              optional float b = 2 [default = -3.4028235677973366e+38];
              optional float c = 3 [default = 3.4028235677973367e+38];
              optional float d = 4 [default = 3.402823567797337e+38];
            }
            """
        let fields = try compile(["a.proto": text]).get().files[0].messageType[0].field
        #expect(
            fields.map(\.defaultValue) == [
                "3.40282347e+38", "-3.40282347e+38", "3.40282347e+38", "inf",
            ]
        )
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
