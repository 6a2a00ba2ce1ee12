import Foundation

/// A program and its arguments.
struct Program: Sendable {
    /// The path, or the name of a program that lies beside this one.
    let name: String
    let arguments: [String]

    init(_ name: String, _ arguments: [String]) {
        self.name = name
        self.arguments = arguments
    }

    var url: URL {
        if name.contains("/") { return URL(fileURLWithPath: name) }
        let own = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        return own.deletingLastPathComponent().appendingPathComponent(name)
    }
}

/// A program that runs beside this one and ends with it.
final class Child {
    private let process = Process()
    private let output = Pipe()
    private var buffered = Data()

    /// Starts a program.
    ///
    /// Given a file as `counts`, it writes the number of its allocations there; see malloc_counter.h.
    init(_ program: Program, counts: String? = nil) throws {
        process.executableURL = program.url
        process.arguments = program.arguments
        process.standardOutput = output
        if let counts {
            let added = ["NETPOLL_BENCH_COUNTS": counts]
            process.environment = ProcessInfo.processInfo.environment.merging(added) { $1 }
        }
        try process.run()
    }

    convenience init(_ name: String, _ arguments: [String]) throws {
        try self.init(Program(name, arguments))
    }

    deinit { end() }

    var processID: Int32 { process.processIdentifier }

    /// The next line that the program prints; one that says nothing for two minutes has failed.
    func line() throws -> String {
        let reader = output.fileHandleForReading
        while true {
            if let end = buffered.firstIndex(of: 10) {
                defer { buffered = Data(buffered[(end + 1)...]) }
                return String(decoding: buffered[..<end], as: UTF8.self)
            }
            let name = process.executableURL?.lastPathComponent ?? ""
            var waiting = pollfd(fd: reader.fileDescriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 120_000) > 0 else {
                throw BenchError("\(name) \(process.arguments ?? []) says nothing")
            }
            let more = reader.availableData
            guard !more.isEmpty else {
                throw BenchError("\(name) \(process.arguments ?? []) ended early")
            }
            buffered += more
        }
    }

    /// Ends the program and waits for it.
    func end() {
        guard process.isRunning else { return }
        process.terminate()
        process.waitUntilExit()
    }

    /// Waits for the program's own end.
    func wait() throws {
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchError("\(process.arguments ?? []) failed: \(process.terminationStatus)")
        }
    }

    /// The CPU time it has used so far, in seconds (proc_pid_stat(5)).
    func cpuSeconds() throws -> Double {
        let path = "/proc/\(process.processIdentifier)/stat"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        // The fields after the name, which may hold anything, in parentheses.
        guard let end = text.lastIndex(of: ")") else { throw BenchError("cannot read \(path)") }
        let fields = text[end...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13])
        else { throw BenchError("cannot read \(path)") }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// The memory that belongs to it alone, in bytes (`Private_Dirty` of smaps_rollup, proc(5)).
    func privateByteCount() throws -> Int {
        let path = "/proc/\(process.processIdentifier)/smaps_rollup"
        for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        where line.hasPrefix("Private_Dirty:") {
            if let kibibytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) {
                return kibibytes * 1024
            }
        }
        throw BenchError("cannot read \(path)")
    }
}

/// Why a benchmark has no result.
struct BenchError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension [Double] {
    /// The middle value, or the mean of the two in the middle.
    var median: Double {
        guard !isEmpty else { return .nan }
        let sorted = sorted()
        return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
    }
}

/// A number with so many digits after the point.
func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
