import NetpollProtobuf
import RPCGenCore
import Testing

@Suite("Options of the generator")
struct OptionTests {
    @Test("a parameter sets what the command line sets")
    func parameter() throws {
        let options = try GeneratorOptions(
            parameter:
                "visibility=public,file-naming=drop-path,swift-prefix=X,module-map=A=b/c.proto,client,messages"
        )
        #expect(options.visibility == .public)
        #expect(options.fileNaming == .dropPath)
        #expect(options.swiftPrefix == "X")
        #expect(options.moduleMappings == [.init(module: "A", path: "b/c.proto")])
        #expect(options.contents == [.client, .messages])
        #expect(try GeneratorOptions(parameter: "").contents == .all)
        #expect(try GeneratorOptions(parameter: "services").contents == [.client, .server])
        #expect(!(try GeneratorOptions(parameter: "no-descriptors").embedsDescriptors))
        #expect(options.embedsDescriptors)
    }

    @Test(
        "what is no option, or has no such value, is an error that names it",
        arguments: [
            "nonsense", "visibility=loud", "visibility", "client=yes", "module-map=x",
            "module-map=1a=b", "file-naming=", "=", "swift-prefix=1bad", "swift-prefix=a b;",
        ]
    )
    func badParameter(text: String) {
        #expect(throws: GeneratorOptions.ParameterError.self) {
            try GeneratorOptions(parameter: text)
        }
    }

    @Test("a type that none of the files declares is an error that names it and its place")
    func missingTypes() throws {
        var compiler = ProtoCompiler(importRoots: [""]) { path in
            switch path {
            case "a.proto":
                Array(
                    """
                    syntax = "proto2"; package p;
                    import "b.proto";
                    message A { optional B b = 1; extend B { optional E e = 100; } }
                    extend B { optional int32 n = 101; }
                    service S { rpc Do(A) returns (B); }
                    """.utf8
                )
            case "b.proto":
                Array(
                    """
                    syntax = "proto2"; package p;
                    message B { extensions 100 to 200; }
                    enum E { X = 0; }
                    """.utf8
                )
            default: nil
            }
        }
        let all = try compiler.compile(["a.proto"]).get().files
        #expect(throws: Never.self) { try SwiftGenerator(all).generate("a.proto").get() }
        let some = all.filter { $0.name == "a.proto" }
        guard case .failure(let failure) = SwiftGenerator(some).generate("a.proto") else {
            Issue.record("types that nobody knows were generated")
            return
        }
        let messages = failure.errors.map(\.message)
        for place in ["A.b", "A.e", "n", "S.Do's response"] {
            #expect(
                messages.contains { $0.contains("\(place),") || $0.contains("what \(place) ex") }
            )
        }
    }

    private func compile(_ text: String) throws -> CompiledFiles {
        var compiler = ProtoCompiler(importRoots: [""]) { path in
            path == "a.proto" ? Array(text.utf8) : nil
        }
        return try compiler.compile(["a.proto"]).get()
    }

    private let service = """
        syntax = "proto3"; package p;
        message M { int32 a = 1; }
        service S { rpc Do(M) returns (M); }
        """

    @Test("a service carries the descriptors of its file and imports, unless they are left out")
    func descriptors() throws {
        var compiler = ProtoCompiler(importRoots: [""]) { path in
            switch path {
            case "a.proto":
                Array(
                    """
                    syntax = "proto3"; package p;
                    import "b.proto";
                    service S { rpc Do(M) returns (M); }
                    """.utf8
                )
            case "b.proto":
                Array("syntax = \"proto3\"; package p; message M { int32 a = 1; }".utf8)
            default: nil
            }
        }
        let files = try compiler.compile(["a.proto"]).get().files
        var options = GeneratorOptions()
        let text = try SwiftGenerator(files, options: options).generate("a.proto").get().content
        let rows = text.split(separator: "\n").drop { !$0.hasSuffix("\"\"\"") }.dropFirst()
            .prefix { !$0.hasSuffix("\"\"\"") }
        let base64 = rows.map { $0.filter { $0 != " " && $0 != "\\" } }.joined()
        let set = try Google_Protobuf_FileDescriptorSet(jsonBytesOf: base64)
        #expect(set.file.map(\.name) == ["b.proto", "a.proto"])
        #expect(set.file.allSatisfy { !$0.hasSourceCodeInfo })
        #expect(set.file.last?.service.first?.method.first?.name == "Do")
        options.embedsDescriptors = false
        let bare = try SwiftGenerator(files, options: options).generate("a.proto").get().content
        #expect(!bare.contains("escriptors"))
        options = GeneratorOptions()
        options.contents = [.messages, .client]
        let client = try SwiftGenerator(files, options: options).generate("a.proto").get().content
        #expect(!client.contains("StaticString"))
    }

    @Test("protoc's plugin protocol: files come back, and so do errors")
    func plugin() throws {
        let compiled = try compile(service)
        var request = Google_Protobuf_Compiler_CodeGeneratorRequest()
        request.protoFile = compiled.files
        request.fileToGenerate = ["a.proto"]
        request.parameter = "visibility=public"
        let response = ProtocPlugin.run(request)
        #expect(!response.hasError && response.supportedFeatures == 1)
        #expect(response.file.map(\.name) == ["a.pb.swift"])
        #expect(response.file.first?.content.contains("public struct P_M") == true)

        request.parameter = "colour=red"
        #expect(ProtocPlugin.run(request).error == "\"colour=red\" is not an option")
        request.parameter = ""
        request.fileToGenerate = ["b.proto"]
        #expect(ProtocPlugin.run(request).error.contains("b.proto"))
    }

    @Test("a streaming method is refused where stubs are wanted, and only there")
    func streaming() throws {
        let compiled = try compile(
            """
            syntax = "proto3"; package p;
            message M {}
            service S {
              rpc Watch(M) returns (stream M);
            }
            """
        )
        let all = SwiftGenerator(compiled.files).generate("a.proto")
        guard case .failure(let failure) = all else {
            Issue.record("a streaming method was generated")
            return
        }
        #expect(failure.errors.first?.location.line == 4)
        var options = GeneratorOptions()
        options.contents = .messages
        #expect(throws: Never.self) {
            try SwiftGenerator(compiled.files, options: options).generate("a.proto").get()
        }
    }
}

extension Google_Protobuf_FileDescriptorSet {
    /// Reads Base64 as a value of bytes in JSON, which is the same text.
    fileprivate init(jsonBytesOf base64: String) throws {
        let bytes = try Google_Protobuf_BytesValue(jsonString: "\"\(base64)\"").value
        try self.init(serializedBytes: bytes)
    }
}
