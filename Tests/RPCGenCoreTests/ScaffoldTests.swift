import NetpollProtobuf
import RPCGenCore
import Testing

@Suite("Scaffolds")
struct ScaffoldTests {
    /// A package that exists in the test only.
    private struct Package {
        var files: [String: String] = [:]

        /// Runs the scaffold over it.
        ///
        /// - Returns: The files that were written.
        mutating func scaffold(_ texts: [String: String]) throws -> [String] {
            let request = Scaffold.Request(
                name: "Shop",
                dependency: ".package(path: \"/x\")",
                dependencyIdentity: "x"
            )
            let names = texts.keys.sorted()
            var compiler = ProtoCompiler(importRoots: [""]) { path in
                texts[path].map { Array($0.utf8) }
            }
            let old = files
            let written = try Scaffold(
                request,
                try compiler.compile(names).get(),
                sources: old.keys.filter { $0.hasPrefix("Sources/Shop/") }.sorted(),
                read: { old[$0] }
            ).files()
            for file in written { files[file.path] = file.content }
            return written.map(\.path).sorted()
        }

        mutating func scaffold(_ text: String) throws -> [String] {
            try scaffold(["a.proto": text])
        }
    }

    private let service = """
        syntax = "proto3"; package p;
        message M { int32 a = 1; }
        service S { rpc Do(M) returns (M); }
        """
    private var twoMethods: String {
        service.replacing("returns (M); }", with: "returns (M); rpc Undo(M) returns (M); }")
    }
    private let handler = "Sources/Shop/SHandler.swift"

    @Test("a scaffold writes what is not there, and adds the methods that a handler lacks")
    func lacking() throws {
        var package = Package()
        #expect(
            try package.scaffold(service) == [
                "Package.swift", "README.md", "Sources/Shop/Generated/a.pb.swift", handler,
                "Sources/ShopClient/ShopClient.swift", "Sources/ShopServer/ShopServer.swift",
            ]
        )
        #expect(try package.scaffold(service) == [])
        package.files[handler]? += "// mine\n"
        #expect(try package.scaffold(service) == [], "what was written by hand stays")
        #expect(
            try package.scaffold(twoMethods) == ["Sources/Shop/Generated/a.pb.swift", handler]
        )
        let text = try #require(package.files[handler])
        #expect(text.contains("// mine\n\nextension SHandler {\n    public func undo("))
        #expect(text.ranges(of: "func `do`(").count == 1)
        #expect(try package.scaffold(twoMethods) == [])
        #expect(throws: Scaffold.Failure.self) {
            var package = Package()
            return try package.scaffold("syntax = \"proto3\"; message M {}")
        }
    }

    @Test(
        "a method is found wherever the handler has it",
        arguments: [
            "extension SHandler {\n    func undo(_ request: P_M) {}\n}\n",
            "extension SHandler: Sendable { var x: Int { 1 }; func  undo  (_ r: P_M) {} }",
            "/* /* */ */ extension SHandler { let s = \"} \\\"\"; func `undo`(_ r: P_M) {} }",
            "extension SHandler { let s = #\"\"}\"#; let t = \"\"\"\n } \"\n \"\"\"; func undo(_ r: P_M) {} }",
        ]
    )
    func elsewhere(text: String) throws {
        var package = Package()
        _ = try package.scaffold(service)
        package.files["Sources/Shop/Undo.swift"] = text
        #expect(try package.scaffold(twoMethods) == ["Sources/Shop/Generated/a.pb.swift"])
    }

    @Test(
        "what only looks like the method is none",
        arguments: [
            "// extension SHandler { func undo() {} }",
            "extension SHandler {} // func undo(",
            "extension SHandler { /* func undo() */ }",
            "extension SHandler { let s = \"func undo()\" }",
            "extension SHandler { func undoAll() {} }",
            "struct Other { func undo() {} }; extension SHandler {}",
            "extension SHandler2 { func undo() {} }",
        ]
    )
    func lookalikes(text: String) throws {
        var package = Package()
        _ = try package.scaffold(service)
        package.files["Sources/Shop/Undo.swift"] = text
        #expect(try package.scaffold(twoMethods).contains(handler))
    }

    @Test("a handler that was moved gets its methods where it is")
    func moved() throws {
        var package = Package()
        _ = try package.scaffold(service)
        let path = "Sources/Shop/Handlers/Mine.swift"
        package.files[path] = package.files.removeValue(forKey: handler)
        #expect(try package.scaffold(service) == [])
        #expect(
            try package.scaffold(twoMethods)
                == [path, "Sources/Shop/Generated/a.pb.swift"].sorted()
        )
        #expect(package.files[handler] == nil)
    }

    @Test("services of one name in two packages have a handler each")
    func sameName() throws {
        var package = Package()
        let other = service.replacing("package p;", with: "package q;")
        let written = try package.scaffold(["a.proto": service, "b.proto": other])
        #expect(written.contains(handler) && written.contains("Sources/Shop/Q_SHandler.swift"))
        let server = try #require(package.files["Sources/ShopServer/ShopServer.swift"])
        #expect(server.contains("services: [SHandler(), Q_SHandler()]"))
        #expect(try package.scaffold(["a.proto": service, "b.proto": other]) == [])
        // Both in one file, each lacking a method.
        let moved = package.files.removeValue(forKey: "Sources/Shop/Q_SHandler.swift")
        package.files[handler]? += try #require(moved)
        let more = other.replacing(
            "returns (M); }",
            with: "returns (M); rpc Undo(M) returns (M); }"
        )
        _ = try package.scaffold(["a.proto": twoMethods, "b.proto": more])
        let text = try #require(package.files[handler])
        #expect(
            text.contains("\nextension SHandler {") && text.contains("\nextension Q_SHandler {")
        )
    }

    @Test("the client calls the first method there is, whatever its request")
    func client() throws {
        var package = Package()
        _ = try package.scaffold(
            """
            syntax = "proto3"; package p;
            import "google/protobuf/empty.proto";
            service None {}
            service S { rpc Ping(google.protobuf.Empty) returns (google.protobuf.Empty); }
            """
        )
        let client = try #require(package.files["Sources/ShopClient/ShopClient.swift"])
        #expect(client.contains("import NetpollProtobuf\n"))
        #expect(client.contains("let service = P_SClient(client)"))
        #expect(client.contains("service.ping(Google_Protobuf_Empty())"))
        var idle = Package()
        _ = try idle.scaffold("syntax = \"proto3\"; service None {}")
        let quiet = try #require(idle.files["Sources/ShopClient/ShopClient.swift"])
        #expect(!quiet.contains("let service"))
    }
}
