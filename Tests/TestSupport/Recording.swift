internal import Glibc

/// Bytes that a Kitex client and server sent each other; `Vectors/` holds them.
public struct Recording: Sendable {
    /// The bytes of the first connection in one direction.
    public let bytes: [UInt8]

    /// Reads `NAME.c2s.hex` or `NAME.s2c.hex`.
    public init(_ name: String, _ direction: String) throws {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let path = "/\(folder)/Vectors/\(name).\(direction).hex"
        guard let file = fopen(path, "r") else { throw MissingRecording(path: path) }
        defer { fclose(file) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            text += buffer[..<count]
        }
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n").filter {
            !$0.hasPrefix("#")
        }
        let digits = lines.joined().compactMap(\.hexDigitValue)
        bytes = stride(from: 0, to: digits.count - 1, by: 2).map {
            UInt8(digits[$0] * 16 + digits[$0 + 1])
        }
    }

    /// All recorded calls.
    public static let names = [
        "framed-backward", "framed-biz", "framed-echo", "framed-empty", "framed-fail",
        "framed-metainfo",
        "framed-panic", "framed-timeout", "framed-two", "framed-unknown", "mux-biz",
        "mux-concurrent", "mux-echo",
        "mux-late", "mux-shutdown-idle", "ttheader-backward", "ttheader-biz",
        "ttheader-biz-nohandlers",
        "ttheader-echo", "ttheader-empty", "ttheader-fail", "ttheader-metainfo",
        "ttheader-nohandlers",
        "ttheader-panic", "ttheader-timeout", "ttheader-two", "ttheader-unknown",
    ]
}

/// A recording that is not where it should be.
public struct MissingRecording: Error {
    /// What is missing.
    public let path: String
    /// Creates the error.
    public init(path: String) { self.path = path }
}
