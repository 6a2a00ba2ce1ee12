#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A file of records that grows at its end.
struct Log: Sendable {
    let file: File
    private(set) var byteCount: Int

    /// Opens a log and reads it; makes an empty one if there is none.
    ///
    /// - Returns: The log without a torn end, what is in it, and how much was cut off.
    /// - Throws: ``LogError`` and ``SystemError``.
    static func open(_ path: String) throws -> (log: Log, records: [Kv_Record], cut: Int) {
        let file = try File(path, O_RDWR | O_CREAT)
        let bytes = try file.read()
        let contents = try LogFormat.decode(bytes)
        var log = Log(file: file, byteCount: contents.goodByteCount)
        if log.byteCount < bytes.count { try file.truncate(to: log.byteCount) }
        if log.byteCount == 0 { try log.append(LogFormat.magic) }
        try file.sync()
        return (log, contents.records, bytes.count - contents.goodByteCount)
    }

    /// Makes an empty log, whatever is at the path.
    static func create(_ path: String) throws -> Log {
        var log = Log(file: try File(path, O_RDWR | O_CREAT | O_TRUNC), byteCount: 0)
        try log.append(LogFormat.magic)
        return log
    }

    /// Writes bytes behind the last ones.
    ///
    /// - Throws: ``SystemError``; the file then has a torn end, and nothing may follow it.
    mutating func append(_ bytes: [UInt8]) throws {
        try file.write(bytes, at: byteCount)
        byteCount += bytes.count
    }
}
