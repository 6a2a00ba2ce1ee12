#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The few things that a generator does with files; no Foundation for so little.
enum Files {
    /// Most bytes of a `.proto` file.
    private static let sizeLimit = 64 << 20

    /// The content of a regular file, or `nil`.
    static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "rb") else { return nil }
        defer { fclose(file) }
        var status = stat()
        guard fstat(fileno(file), &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size <= sizeLimit
        else { return nil }
        let size = Int(status.st_size)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = fread(buffer.baseAddress, 1, size, file)
        }
    }

    /// Writes a file and the directories above it.
    ///
    /// A file that has the content already is left alone, so that nothing is built again for
    /// nothing.
    static func write(_ bytes: [UInt8], to path: String) -> Bool {
        if read(path) == bytes { return true }
        makeDirectories(above: path)
        guard let file = fopen(path, "wb") else { return false }
        let written = fwrite(bytes, 1, bytes.count, file)
        return fclose(file) == 0 && written == bytes.count
    }

    private static func makeDirectories(above path: String) {
        var directory = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/").dropLast() {
            directory += "/" + part
            // One that exists is as good; anything else shows when the file is opened.
            _ = mkdir(directory, 0o777)
        }
    }

    static func withoutTrailingSlash(_ path: String) -> String {
        path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    /// Whether there is something at a path.
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func printError(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        // Nobody is left to tell when standard error cannot be written.
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
}
