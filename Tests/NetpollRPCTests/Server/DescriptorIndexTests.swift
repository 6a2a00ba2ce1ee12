import NetpollProtobuf
import Testing

@testable import NetpollRPC

@Suite("Descriptors by name")
struct DescriptorIndexTests {
    private func file(_ name: String, imports: [String] = []) -> Google_Protobuf_FileDescriptorProto
    {
        .with {
            $0.name = name
            $0.dependency = imports
        }
    }

    private func names(_ files: [[UInt8]]?) throws -> [String]? {
        try files?.map { try Google_Protobuf_FileDescriptorProto(serializedBytes: $0).name }
    }

    @Test("a file comes after all that it imports, each once")
    func order() throws {
        let index = try DescriptorIndex([
            file("a", imports: ["b", "c"]), file("b", imports: ["d"]), file("c", imports: ["d"]),
            file("d"),
        ])
        #expect(try names(index.files(upTo: "a")) == ["d", "b", "c", "a"])
        #expect(try names(index.files(upTo: "d")) == ["d"])
        #expect(index.files(upTo: "e") == nil)
    }

    @Test("circles and imports that are missing do no harm")
    func circle() throws {
        let index = try DescriptorIndex([
            file("a", imports: ["b", "gone"]), file("b", imports: ["a", "b"]),
        ])
        #expect(try names(index.files(upTo: "a")) == ["b", "a"])
    }

    @Test("messages, enums, services and methods are found, nested ones too")
    func symbols() throws {
        let file = Google_Protobuf_FileDescriptorProto.with {
            $0.name = "a"
            $0.package = "p"
            $0.messageType = [
                .with {
                    $0.name = "M"
                    $0.nestedType = [.with { $0.name = "N" }]
                    $0.enumType = [.with { $0.name = "E" }]
                }
            ]
            $0.enumType = [.with { $0.name = "E" }]
            $0.service = [
                .with {
                    $0.name = "S"
                    $0.method = [.with { $0.name = "Do" }]
                }
            ]
        }
        let index = try DescriptorIndex([file])
        for name in ["p.M", "p.M.N", "p.M.E", "p.E", "p.S", "p.S.Do"] {
            #expect(try names(index.files(declaring: name)) == ["a"], "\(name)")
        }
        #expect(index.files(declaring: "p.X") == nil)
        #expect(index.files(declaring: ".p.M") == nil)
    }
}
