import Foundation

/// Counts the system calls of a server and of its load in the kernel, at the tracepoint that all
/// pass, without stopping either of them: `perf stat` on the server for as long as the load runs,
/// and another one around both for the load.
struct SystemCallCounter {
    let program: Program
    private let serverFile = temporaryFile()
    private let clientFile = temporaryFile()

    private static let event = ["stat", "-x", ",", "-e", "raw_syscalls:sys_enter"]

    /// Whether perf is here and may trace.
    static let isAvailable: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["perf"] + event + ["true"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    init(_ load: Program, server: Int32) throws {
        let inner = ["perf"] + Self.event + ["-o", serverFile, "-p", "\(server)", load.url.path]
        program = Program(
            "/usr/bin/env",
            ["perf"] + Self.event + ["-o", clientFile] + inner + load.arguments
        )
    }

    /// The counts of the server and of the load.
    ///
    /// The latter has the few hundred of the inner perf.
    func read() throws -> (server: Double, client: Double) {
        (try Self.count(in: serverFile), try Self.count(in: clientFile))
    }

    private static func count(in file: String) throws -> Double {
        defer { unlink(file) }
        let text = try String(contentsOfFile: file, encoding: .utf8)
        for line in text.split(separator: "\n") where line.contains("raw_syscalls") {
            if let count = line.split(separator: ",").first.flatMap({ Double($0) }) { return count }
        }
        throw BenchError("perf wrote: \(text)")
    }
}

/// The file that a program of this package writes the number of its allocations to.
final class AllocationFile {
    let path = temporaryFile()
    deinit { unlink(path) }

    func read() throws -> UInt64 {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        guard data.count == 8 else { throw BenchError("\(path) holds no count") }
        return data.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
    }
}

private func temporaryFile() -> String {
    FileManager.default.temporaryDirectory
        .appendingPathComponent("netpoll-bench-\(UUID().uuidString)").path
}
