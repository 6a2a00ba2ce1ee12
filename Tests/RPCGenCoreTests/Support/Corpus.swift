import Glibc
import NetpollProtobuf
import RPCGenCore

/// The files that the tests carry.
enum Corpus {
    /// This folder's place in the repository.
    private static let tests =
        "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
    static let folder = tests + "/Corpus"
    static let protos =
        "/" + tests.split(separator: "/").dropLast(2).joined(separator: "/") + "/Protos"

    /// The content of a file, or `nil`.
    static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            content += buffer[..<count]
        }
        return content
    }

    static func write(_ bytes: [UInt8], to path: String) -> Bool {
        guard let file = fopen(path, "w") else { return false }
        let written = fwrite(bytes, 1, bytes.count, file)
        return fclose(file) == 0 && written == bytes.count
    }

    /// The names of the files in a folder of the corpus, in order.
    static func files(in name: String) -> [String] {
        guard let directory = opendir("\(folder)/\(name)") else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.contains("."), !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// Compiles files below an import root of the corpus.
    static func compile(_ name: String, in roots: [String]) -> Result<
        CompiledFiles, CompilationFailure
    > {
        var compiler = ProtoCompiler(importRoots: roots, readFile: read)
        return compiler.compile([name])
    }
}

/// Google's compiler, where it is installed.
enum Protoc {
    /// Whether protoc 3.21, whose rules these are, is there; says so once if not.
    static let isInstalled: Bool = {
        let found = run("--version").output.contains("3.21.")
        if !found {
            print("NOTE: protoc 3.21 is not installed; the comparisons with it do not run")
        }
        return found
    }()

    /// Runs it and returns what it wrote to standard error.
    static func run(_ arguments: String) -> (status: Int32, output: String) {
        guard let pipe = popen("protoc \(arguments) 2>&1", "r") else { return (-1, "") }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&buffer, 1, buffer.count, pipe), count > 0 {
            output += buffer[..<count]
        }
        return (pclose(pipe), String(decoding: output, as: UTF8.self))
    }
}

/// A folder that goes away with the test.
final class TemporaryFolder {
    let path: String

    init() {
        var template = Array("/tmp/rpc-gen-XXXXXX".utf8CString)
        _ = mkdtemp(&template)
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { _ = system("rm -rf '\(path)'") }
}
