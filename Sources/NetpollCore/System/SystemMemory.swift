#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// How much memory this process may use.
enum SystemMemory {
    /// The memory of the machine in bytes, or what the process's control group allows if that is
    /// less (Linux, cgroups(7), both versions).
    static func limit() -> Int {
        let pages = max(1, sysconf(Int32(_SC_PHYS_PAGES)))
        let pageSize = max(1, sysconf(Int32(_SC_PAGESIZE)))
        let machine = pages.multipliedReportingOverflow(by: pageSize)
        return min(machine.overflow ? .max : machine.partialValue, controlGroupLimit() ?? .max)
    }

    private static func controlGroupLimit() -> Int? {
        let group = text(of: "/proc/self/cgroup") ?? ""
        return files(forGroups: group).compactMap { text(of: $0) }.compactMap(number).min()
    }

    /// The files that may hold a limit, given the content of `/proc/self/cgroup`.
    ///
    /// In a container the group is the root of what is mounted, whatever it is called outside.
    static func files(forGroups text: String) -> [String] {
        var files = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, parts[2].hasPrefix("/"), parts[2].count > 1 else { continue }
            if parts[1].isEmpty {
                files.append("/sys/fs/cgroup\(parts[2])/memory.max")
            } else if parts[1].split(separator: ",").contains("memory") {
                files.append("/sys/fs/cgroup/memory\(parts[2])/memory.limit_in_bytes")
            }
        }
        return files
    }

    /// A positive number; `nil` for "max" and anything else.
    static func number(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let value = Int(digits), value > 0 else { return nil }
        return value
    }

    /// The first 4 KiB of a file, or `nil` if it cannot be read.
    private static func text(of path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
