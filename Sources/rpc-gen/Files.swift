internal import ArgumentParser

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

    /// The paths of the Swift files below a folder, relative to it, in the order of their names.
    static func swiftFiles(below folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var paths: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard !name.hasPrefix(".") else { continue }
            if name.hasSuffix(".swift") {
                paths.append(name)
            } else {
                paths += swiftFiles(below: "\(folder)/\(name)").map { "\(name)/\($0)" }
            }
        }
        return paths.sorted()
    }

    static func withoutTrailingSlash(_ path: String) -> String {
        path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    /// Whether there is something at a path.
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// A path from the root of the file system, without symbolic links; as it is if it does not exist.
    static func absolute(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The folder of a package that this program was built in, if it still lies there.
    static func packageFolder(named name: String) -> String? {
        #if canImport(Darwin)
        var folder = absolute(CommandLine.arguments[0])
        #else
        var folder = absolute("/proc/self/exe")
        #endif
        while let slash = folder.lastIndex(of: "/") {
            folder = String(folder[..<slash])
            let manifest = read("\(folder)/Package.swift").map {
                String(decoding: $0, as: UTF8.self)
            }
            if manifest?.contains("name: \"\(name)\"") == true { return folder }
        }
        return nil
    }

    /// Says what is wrong, for a command that then ends with 1.
    static func failure(_ message: String) -> ExitCode {
        printError("error: \(message)")
        return ExitCode.failure
    }

    static func printError(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        // Nobody is left to tell when standard error cannot be written.
        _ = writeBytes(STDERR_FILENO, bytes, bytes.count)
    }
}

/// write(2), whose name a method of ``Files`` hides.
private func writeBytes(_ fileDescriptor: Int32, _ bytes: [UInt8], _ count: Int) -> Int {
    write(fileDescriptor, bytes, count)
}
