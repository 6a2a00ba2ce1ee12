internal import NetpollProtobuf

/// Writes the descriptors that the services of a file carry.
///
/// They are one text in Base64: a compiler reads that quickly, and a program that never asks for
/// it pays for the bytes of its image alone.
struct EmbeddedDescriptors {
    private let files: [String: Google_Protobuf_FileDescriptorProto]

    init(_ files: [Google_Protobuf_FileDescriptorProto]) {
        self.files = Dictionary(files.map { ($0.name, $0) }) { first, _ in first }
    }

    /// The constant that holds the text, as an expression; `service` is the Swift name of the file's
    /// first.
    static func constant(_ service: String) -> String { "\(service)ServiceFile.descriptors" }

    func emit(
        _ file: Google_Protobuf_FileDescriptorProto,
        _ service: String,
        to writer: inout SourceWriter
    ) {
        let text = base64(file.name)
        writer.line()
        writer.line("/// The descriptors of `\(file.name)` and of all that it imports.")
        writer.block("private enum \(service)ServiceFile") { writer in
            writer.line("static let descriptors: Swift.StaticString = \"\"\"")
            writer.indented { writer in
                for start in stride(from: 0, to: text.count, by: Self.rowLength) {
                    let end = min(start + Self.rowLength, text.count)
                    let row = String(decoding: text[start..<end], as: UTF8.self)
                    writer.line(end < text.count ? row + "\\" : row)
                }
                writer.line("\"\"\"")
            }
        }
    }

    private static let rowLength = 88

    private func base64(_ name: String) -> [UInt8] {
        var set = Google_Protobuf_FileDescriptorSet()
        var seen: Set<String> = []
        collect(name, &set.file, &seen)
        // Fails only for what no compiler makes: a message of more than 2 GiB.
        return Base64.encoded((try? set.serializedBytes()) ?? [])
    }

    /// Adds a file after all that it imports, without places and comments.
    private func collect(
        _ name: String,
        _ list: inout [Google_Protobuf_FileDescriptorProto],
        _ seen: inout Set<String>
    ) {
        guard seen.insert(name).inserted, var file = files[name] else { return }
        for imported in file.dependency { collect(imported, &list, &seen) }
        file.clearSourceCodeInfo()
        list.append(file)
    }
}
