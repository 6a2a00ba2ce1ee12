import NetpollProtobuf

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The program that Google's conformance test runner starts and talks to over standard input and
/// output: a length of four bytes, little-endian, and a message, in both directions.
@main
enum ConformanceTestee {
    static func main() throws {
        while let request = readFrame() {
            let response = Testee.respond(to: request)
            writeFrame(try response.serializedBytes())
        }
    }

    private static func readFrame() -> [UInt8]? {
        guard let length = readBytes(4) else { return nil }
        let count = length.reversed().reduce(0) { $0 << 8 | Int($1) }
        guard let frame = readBytes(count) else { exit(withMessage: "the input ends in a request") }
        return frame
    }

    /// So many bytes, or `nil` at the end of the input.
    private static func readBytes(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let result = bytes.withUnsafeMutableBytes {
                read(STDIN_FILENO, $0.baseAddress.map { $0 + filled }, count - filled)
            }
            if result < 0, errno == EINTR { continue }
            guard result > 0 else { return nil }
            filled += result
        }
        return bytes
    }

    private static func writeFrame(_ message: [UInt8]) {
        let frame = (0..<4).map { UInt8(truncatingIfNeeded: message.count >> ($0 * 8)) } + message
        var written = 0
        while written < frame.count {
            let result = frame.withUnsafeBytes {
                write(STDOUT_FILENO, $0.baseAddress.map { $0 + written }, frame.count - written)
            }
            if result < 0, errno == EINTR { continue }
            guard result > 0 else { exit(withMessage: "the response cannot be written") }
            written += result
        }
    }

    private static func exit(withMessage message: String) -> Never {
        let line = Array("conformance-testee: \(message)\n".utf8)
        // Nobody is left to tell when standard error cannot be written.
        _ = write(STDERR_FILENO, line, line.count)
        _exit(1)
    }
}
