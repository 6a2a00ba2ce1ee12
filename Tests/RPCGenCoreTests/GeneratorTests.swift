import Glibc
import RPCGenCore
import Testing

/// The repository's root, from this file's place in it.
private let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

private func read(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
        content += buffer[..<count]
    }
    return content
}

@Suite("SwiftGenerator")
struct GeneratorTests {
    @Test(
        "the generated files of the repository are what the generator writes",
        arguments: [
            ("echo.proto", "Examples/Echo/Sources/EchoService"),
            ("tests/clashes.proto", "Tests/TestProtos"),
            ("tests/everything.proto", "Tests/TestProtos"),
            ("tests/groups.proto", "Tests/TestProtos"),
            ("tests/imported.proto", "Tests/TestProtos"),
            ("tests/json.proto", "Tests/TestProtos"),
            ("tests/names.proto", "Tests/TestProtos"),
            ("tests/required.proto", "Tests/TestProtos"),
            ("google/protobuf/descriptor.proto", "Sources/NetpollProtobuf/Generated"),
            ("google/protobuf/struct.proto", "Sources/NetpollProtobuf/Generated"),
            ("google/protobuf/compiler/plugin.proto", "Sources/NetpollProtobuf/Generated"),
        ]
    )
    func upToDate(name: String, folder: String) throws {
        var compiler = ProtoCompiler(importRoots: [root + "/Protos"], readFile: read)
        let compiled = try compiler.compile([name]).get()
        var options = GeneratorOptions()
        options.visibility = .public
        options.isPartOfRuntime = folder.hasPrefix("Sources/NetpollProtobuf")
        let generated = try SwiftGenerator(compiled.files, options: options).generate(name).get()
        let kept = try #require(read("\(root)/\(folder)/\(generated.path)"))
        #expect(generated.content == String(decoding: kept, as: UTF8.self), "run Scripts/generate")
    }

    @Test("Swift names follow SwiftProtobuf's rules")
    func names() throws {
        let text = """
            syntax = "proto3"; package foo_bar.v1;
            message Thing {
              string user_id = 1; string http_url = 2; string class = 3; string description = 4; string __x = 5; string fooBar = 6;
              enum Type { TYPE_UNKNOWN = 0; TYPE_1ST = 1; OTHER = 2; TYPE_DEFAULT = 3; }
              Type type = 7;
            }
            """
        let source = try generate(text)
        for expected in [
            "struct FooBar_V1_Thing:", "var userID: String", "var httpURL: String",
            "var `class`: String",
            "var description_p: String", "var fooBar: String",
            "enum TypeEnum: NetpollProtobuf.Enum", "case unknown",
            "case type1St", "case other", "case `default`", "var type: FooBar_V1_Thing.TypeEnum",
        ] {
            #expect(source.contains(expected), "\(expected) in \(source)")
        }
    }

    @Test("swift_prefix takes the place of the package, comments are carried over")
    func prefixAndComments() throws {
        let source = try generate(
            """
            syntax = "proto3"; package p; option swift_prefix = "XY";
            // Apart from the message.

            // First line.
            // Second line.
            message Thing {
              /* Block
               * comment. */
              int32 a = 1;
            }
            """
        )
        #expect(source.contains("/// First line.\n/// Second line.\ninternal struct XYThing"))
        #expect(source.contains("    /// Block\n    /// comment.\n    internal var a: Int32 = 0"))
        #expect(!source.contains("Apart"))
    }

    @Test(
        "every line of a comment stays a comment, whatever ends it",
        arguments: ["\n", "\r\n", "\r", "\u{0B}", "\u{2028}"]
    )
    func commentLines(newline: String) throws {
        let source = try generate(
            "syntax = \"proto3\";\r\n/* a  \(newline) struct b {\(newline)\(newline) c */\r\n"
                + "message A {}\r\n"
        )
        #expect(source.contains("\n/// a\n/// struct b {\n///\n/// c\ninternal struct A"))
        #expect(
            try generate(
                "syntax = \"proto3\";\r\n// a\r\n// struct b {\r\nmessage A {}\r\n"
            ).contains("\n/// a\n/// struct b {\ninternal struct A")
        )
    }

    @Test("a unary method costs at most 20 lines for both sides")
    func size() throws {
        func lines(_ methods: Int) throws -> Int {
            let rpcs = (0..<methods).map { "rpc M\($0)(A) returns (A);" }.joined()
            return try generate("syntax = \"proto3\"; message A {} service S { \(rpcs) }").split(
                separator: "\n"
            ).count
        }
        let difference = try lines(2) - lines(1)
        #expect(difference <= 20)
    }

    @Test("a streaming method is refused with its place")
    func streaming() throws {
        let text = "syntax = \"proto3\"; message A {}\nservice S { rpc M(stream A) returns (A); }"
        let compiled = try compile(["a.proto": text]).get()
        guard case .failure(let failure) = SwiftGenerator(compiled.files).generate("a.proto") else {
            return #expect(Bool(false), "it was generated")
        }
        #expect(
            failure.errors[0].description.hasPrefix("a.proto:2:17: error: streaming method \"S.M\"")
        )
    }

    @Test("well-known types are those of the runtime, and no import root needs their files")
    func wellKnownTypes() throws {
        let message = try generate(
            """
            syntax = "proto3"; import "google/protobuf/timestamp.proto";
            message A { google.protobuf.Timestamp at = 1; }
            """
        )
        #expect(message.contains("import NetpollProtobuf\n"))
        #expect(message.contains("var at: Google_Protobuf_Timestamp {"))
        #expect(!message.contains("struct Google_Protobuf_Timestamp"))
        let service = try generate(
            """
            syntax = "proto3"; import "google/protobuf/empty.proto";
            service S { rpc M(google.protobuf.Empty) returns (google.protobuf.Empty); }
            """
        )
        #expect(service.contains("import NetpollProtobuf\nimport NetpollRPC\n"))
    }

    @Test("a schema tells only what JSON cannot guess, and all names of enum values")
    func jsonNames() throws {
        let source = try generate(
            """
            syntax = "proto3";
            message A { int32 foo_bar = 1 [json_name = "fooBar"]; int32 b = 2 [json_name = "\\"x"];
              optional int32 c = 3; E e = 4; }
            enum E { option allow_alias = true; E_ZERO = 0; E_ONE = 1; E_UNO = 1; }
            """
        )
        for expected in [
            #".init(1, "foo_bar", .int32),"#, #".init(2, "b", .int32, jsonName: "\"x"),"#,
            #".init(3, "c", .int32, isOptional: true),"#, #".init(4, "e", .open(E.self)),"#,
            #"0: "E_ZERO", 1: "E_ONE", 1: "E_UNO","#,
        ] {
            #expect(source.contains(expected), "\(expected) in \(source)")
        }
    }

    private func generate(_ text: String) throws -> String {
        let compiled = try compile(["a.proto": text]).get()
        return try SwiftGenerator(compiled.files).generate("a.proto").get().content
    }
}
