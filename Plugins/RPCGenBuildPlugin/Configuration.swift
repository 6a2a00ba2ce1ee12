import Foundation

/// What a target's `rpc-gen.json` says.
///
/// Every key may be left out, and so may the file: then all `.proto` files of the target are
/// generated, with the target's folder as their import root.
struct Configuration: Codable {
    /// The `.proto` files, relative to the first import root; all that lie below it by default.
    var files: [String]?
    /// Where imports are looked for, relative to the target's folder.
    var importRoots: [String]?
    /// `public`, `package` or `internal`.
    var visibility: String?
    /// Any of `messages`, `services`, `server` and `client`; everything by default.
    var contents: [String]?
    /// What stands before the names of top-level types.
    var swiftPrefix: String?
    /// `MODULE=PATH` for `.proto` files whose Swift is in another module.
    var moduleMap: [String]?
    /// Whether services carry the descriptors of their files, for reflection; they do by default.
    var descriptors: Bool?

    static let fileName = "rpc-gen.json"

    /// Reads the configuration of a target, if it has one.
    static func load(from folder: URL) throws -> Configuration {
        let file = folder.appending(path: fileName)
        guard FileManager.default.fileExists(atPath: file.path) else { return Configuration() }
        do {
            return try JSONDecoder().decode(Configuration.self, from: Data(contentsOf: file))
        } catch {
            throw ConfigurationError("\(file.path): \(error)")
        }
    }

    /// The import roots as absolute folders.
    func roots(_ folder: URL) -> [URL] {
        (importRoots ?? ["."]).map { folder.appending(path: $0).standardizedFileURL }
    }

    /// The names of the `.proto` files, as imports write them.
    func names(_ folder: URL) throws -> [String] {
        if let files { return files }
        guard let root = roots(folder).first,
            let paths = FileManager.default.subpaths(atPath: root.path)
        else { throw ConfigurationError("\(folder.path): the first import root is not a folder") }
        return paths.filter { $0.hasSuffix(".proto") }.sorted()
    }

    /// The arguments of `rpc-gen generate` for some files.
    func arguments(_ folder: URL, _ names: [String], output: URL) -> [String] {
        var arguments = ["generate", "--out", output.path]
        arguments += ["--file-naming", "path-to-underscores"]
        for root in roots(folder) { arguments += ["-I", root.path] }
        if let visibility { arguments += ["--visibility", visibility] }
        if let swiftPrefix { arguments += ["--swift-prefix", swiftPrefix] }
        if descriptors == false { arguments.append("--no-descriptors") }
        for item in contents ?? [] { arguments.append("--\(item)") }
        for mapping in moduleMap ?? [] { arguments += ["--module-map", mapping] }
        return arguments + names
    }
}

struct ConfigurationError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
