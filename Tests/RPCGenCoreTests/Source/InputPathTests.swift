import RPCGenCore
import Testing

@Suite("InputPath")
struct InputPathTests {
    private func name(_ path: String, _ roots: [String], files: Set<String>) throws -> String {
        try InputPath(path).name(in: roots) { files.contains($0) }
    }

    @Test(
        "a path becomes relative to the first root that it lies in",
        arguments: [
            ("a.proto", ["."], "a.proto"), ("./a.proto", ["."], "a.proto"),
            ("lib/a.proto", [".", "lib"], "lib/a.proto"), ("lib/a.proto", ["lib", "."], "a.proto"),
            ("lib//./a.proto", ["./lib/"], "a.proto"), ("/x/lib/a.proto", ["/x"], "lib/a.proto"),
            ("/x/lib/a.proto", [".", "/x/lib"], "a.proto"), ("../a.proto", ["."], "../a.proto"),
            ("library/a.proto", ["lib"], "library/a.proto"), ("none.proto", ["lib"], "none.proto"),
        ]
    )
    func relative(path: String, roots: [String], expected: String) throws {
        let files: Set = [
            "a.proto", "lib/a.proto", "/x/lib/a.proto", "../a.proto", "library/a.proto",
        ]
        let found = try InputPath(path).name(in: roots) { files.contains($0) }
        #expect(found == expected)
    }

    @Test("a file that an import would not find is refused")
    func shadowed() throws {
        let files: Set = ["one/a.proto", "two/a.proto"]
        #expect {
            try name("two/a.proto", ["one", "two"], files: files)
        } throws: {
            ($0 as? InputPath.Shadowed)?.other == "one/a.proto"
        }
        #expect(try name("two/a.proto", ["two", "one"], files: files) == "a.proto")
    }
}
