#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A file or folder that is open: the few system calls that a log needs.
final class File: Sendable {
    private let descriptor: CInt
    let path: String

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: Where it is.
    ///   - flags: As for open(2).
    /// - Throws: ``SystemError``.
    init(_ path: String, _ flags: CInt) throws {
        self.path = path
        descriptor = try Self.check("open \(path)") { open(path, flags | O_CLOEXEC, 0o600) }
    }

    deinit { close(descriptor) }

    /// Keeps other processes out; false if one is in already.
    func lock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

    func read(from offset: Int = 0) throws -> [UInt8] {
        let end = try Self.check("seek \(path)") { lseek(descriptor, 0, SEEK_END) }
        var count = 0
        let wanted = max(0, Int(end) - offset)
        return try [UInt8](unsafeUninitializedCapacity: wanted) { buffer, initializedCount in
            let all = UnsafeMutableRawBufferPointer(buffer)
            while count < wanted {
                let part = UnsafeMutableRawBufferPointer(rebasing: all[count...])
                let read = try Self.check("read \(path)") {
                    pread(descriptor, part.baseAddress, part.count, off_t(offset + count))
                }
                if read == 0 { break }
                count += read
            }
            initializedCount = count
        }
    }

    func write(_ bytes: [UInt8], at offset: Int) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = try rest.withUnsafeBytes { part in
                try Self.check("write \(path)") {
                    pwrite(
                        descriptor,
                        part.baseAddress,
                        part.count,
                        off_t(offset + rest.startIndex)
                    )
                }
            }
            rest = rest.dropFirst(written)
        }
    }

    func truncate(to byteCount: Int) throws {
        _ = try Self.check("truncate \(path)") { ftruncate(descriptor, off_t(byteCount)) }
    }

    /// Returns when everything written is on the disk.
    func sync() throws { _ = try Self.check("sync \(path)") { fsync(descriptor) } }

    /// Puts the file in the place of another.
    static func move(_ path: String, to other: String) throws {
        _ = try check("rename \(path)") { rename(path, other) }
    }

    static func makeFolder(_ path: String) throws {
        _ = try check("make \(path)") {
            mkdir(path, 0o700) == 0 || errno == EEXIST ? CInt(0) : -1
        }
    }

    /// Makes a system call, again when a signal interrupts it.
    private static func check<R: SignedInteger>(_ what: String, _ call: () -> R) throws -> R {
        while true {
            let result = call()
            if result >= 0 { return result }
            let code = errno
            if code != EINTR { throw SystemError(what: what, code: code) }
        }
    }
}

/// A system call that failed.
struct SystemError: Error, CustomStringConvertible {
    let what: String
    let code: CInt

    var description: String { "\(what): \(String(cString: strerror(code)))" }
}
