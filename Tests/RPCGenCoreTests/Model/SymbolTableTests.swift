import Testing

@testable import RPCGenCore

@Suite("SymbolTable")
struct SymbolTableTests {
    /// Has messages within messages, and a message with the name of a package.
    private let table: SymbolTable
    private let visibility: Visibility
    private let outer: SymbolTable.ID

    init() throws {
        let text = """
            syntax = "proto3"; package a.b;
            message Outer { Inner inner = 1; message Inner {} }
            message Inner { message Deep {} }
            enum Kind { ZERO = 0; }
            message a {}
            """
        let (file, errors) = Parser.parse(Array(text.utf8), path: "a.proto")
        #expect(errors.isEmpty)
        table = Resolver.declaring(file)
        visibility = Visibility(of: 0, importing: [], in: table)
        outer = try #require(table.find("a.b.Outer"))
    }

    private func found(_ reference: String, typesOnly: Bool = false) -> String? {
        table.resolve(reference, from: outer, visibility, typesOnly: typesOnly).found.map {
            table.fullName($0)
        }
    }

    @Test("the innermost scope that has a name decides")
    func innermost() {
        #expect(found("Inner") == "a.b.Outer.Inner")
        #expect(found("inner") == "a.b.Outer.inner")
        #expect(found("inner", typesOnly: true) == nil)
        #expect(found("Kind") == "a.b.Kind")
        #expect(found("b.Inner") == "a.b.Inner")
        #expect(found(".a.b.Inner.Deep") == "a.b.Inner.Deep")
        #expect(found("Missing") == nil && found(".Inner") == nil)
    }

    @Test("a scope that has the first part of a name decides, even if it lacks the rest")
    func firstPart() {
        let lookup = table.resolve("Inner.Deep", from: outer, visibility)
        #expect(lookup.found == nil && lookup.taken == "a.b.Outer.Inner.Deep")
        // The message a.b.a hides the package a.
        #expect(table.resolve("a.b.Kind", from: outer, visibility).taken == "a.b.a.b.Kind")
    }

    @Test("values of an enum are its siblings")
    func enumValues() throws {
        let kind = try #require(table.find("a.b.Kind"))
        #expect(found("ZERO") == "a.b.ZERO" && found("Kind.ZERO") == nil)
        #expect(table.value("ZERO", of: kind) != nil && table.value("Outer", of: kind) == nil)
    }

    @Test("what is not visible is told, but not found")
    func visible() {
        let lookup = table.resolve("Inner", from: outer, Visibility())
        #expect(lookup.found == nil)
        #expect(lookup.notImported.map { table.fullName($0) } == "a.b.Inner")
    }
}
