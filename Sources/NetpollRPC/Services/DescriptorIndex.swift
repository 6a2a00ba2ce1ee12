internal import NetpollProtobuf

/// Files of a descriptor set by name and by what they declare.
struct DescriptorIndex: Sendable {
    private struct File: Sendable {
        let bytes: [UInt8]
        let imports: [String]
    }

    private var files: [String: File] = [:]
    /// Full names, without a dot before them, and the file of each.
    private var symbols: [String: String] = [:]

    /// Creates an index of nothing.
    init() {}

    /// Of several files with one name the first counts.
    ///
    /// - Throws: When a file cannot be encoded again.
    init(_ descriptors: [Google_Protobuf_FileDescriptorProto]) throws {
        for file in descriptors where files[file.name] == nil {
            files[file.name] = File(
                bytes: try file.serializedBytes(),
                imports: file.dependency
            )
            let scope = file.package.isEmpty ? "" : file.package + "."
            for message in file.messageType { add(message, scope, file.name) }
            for item in file.enumType { symbols[scope + item.name] = file.name }
            for service in file.service {
                symbols[scope + service.name] = file.name
                for method in service.method {
                    symbols["\(scope)\(service.name).\(method.name)"] = file.name
                }
            }
        }
    }

    /// Nesting is bounded: the descriptors were decoded from a message.
    private mutating func add(
        _ message: Google_Protobuf_DescriptorProto,
        _ scope: String,
        _ file: String
    ) {
        let name = scope + message.name
        symbols[name] = file
        for nested in message.nestedType { add(nested, name + ".", file) }
        for item in message.enumType { symbols["\(name).\(item.name)"] = file }
    }

    /// The file that declares a symbol, after all that it imports, or `nil`.
    func files(declaring symbol: String) -> [[UInt8]]? {
        symbols[symbol].flatMap { files(upTo: $0) }
    }

    /// A file after all that it imports, each once, or `nil` if there is no such file.
    ///
    /// Imports that are not in the set are left out.
    func files(upTo name: String) -> [[UInt8]]? {
        guard files[name] != nil else { return nil }
        var result: [[UInt8]] = []
        var visited: Set<String> = []
        // A file is on the stack once before its imports were looked at and once after.
        var stack = [(name: name, importsAreDone: false)]
        while let (name, importsAreDone) = stack.popLast() {
            guard let file = files[name] else { continue }
            if importsAreDone {
                result.append(file.bytes)
            } else if visited.insert(name).inserted {
                stack.append((name, true))
                for imported in file.imports.reversed() { stack.append((imported, false)) }
            }
        }
        return result
    }
}
