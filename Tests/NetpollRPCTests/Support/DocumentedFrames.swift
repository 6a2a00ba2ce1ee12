import Glibc

/// The frames that `Docs/Protocol.md` shows: each block marked `hex` has its name in a comment, and
/// then the bytes.
enum DocumentedFrames {
    static func load() throws -> [String: [UInt8]] {
        let folder = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        guard let file = fopen("/\(folder)/Docs/Protocol.md", "r") else { throw Missing() }
        defer { fclose(file) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            text += buffer[..<count]
        }
        return try parse(String(decoding: text, as: UTF8.self))
    }

    private static func parse(_ text: String) throws -> [String: [UInt8]] {
        var frames: [String: [UInt8]] = [:]
        var name: String?
        var isInside = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "```hex" {
                isInside = true
            } else if line.hasPrefix("```") {
                isInside = false
                name = nil
            } else if isInside, line.hasPrefix("# ") {
                name = String(line.dropFirst(2))
            } else if isInside {
                guard let name else { throw Missing() }
                frames[name, default: []] += try line.split(separator: " ").map { digits in
                    guard let byte = UInt8(digits, radix: 16) else { throw Missing() }
                    return byte
                }
            }
        }
        return frames
    }

    struct Missing: Error {}
}
