import Glibc
import RPCGenCore
import Testing

/// One folder for each feature: `in.proto`, `options` in the form of protoc's parameter, and
/// `out.swift`.
///
/// `UPDATE_GOLDEN=1` writes what the generator now makes; look at the difference before you keep it.
@Suite("Golden files")
struct GoldenTests {
    private static let folder = String(#filePath.dropLast("GoldenTests.swift".count)) + "Golden"

    private static func text(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            content += buffer[..<count]
        }
        return String(decoding: content, as: UTF8.self)
    }

    private static let features = [
        "visibility", "client", "server", "services", "prefix", "modules", "comments", "presence",
        "oneofs", "maps", "enums", "naming",
    ]

    @Test("what is generated for a feature is what was looked at", arguments: features)
    func golden(feature: String) throws {
        let folder = "\(Self.folder)/\(feature)"
        let options = try GeneratorOptions(parameter: #require(Self.text("\(folder)/options")))
        var compiler = ProtoCompiler(importRoots: [folder]) { path in
            Self.text(path).map { Array($0.utf8) }
        }
        let compiled = try compiler.compile(["in.proto"]).get()
        let source = try SwiftGenerator(compiled.files, options: options).generate("in.proto").get()
        let path = "\(folder)/out.swift"
        if getenv("UPDATE_GOLDEN") != nil {
            let file = try #require(fopen(path, "w"))
            fputs(source.content, file)
            fclose(file)
        }
        #expect(Self.text(path) == source.content, "UPDATE_GOLDEN=1 writes it anew")
    }
}
