import Glibc
import NetpollTesting
import TestSupport
import Testing

@testable import NetpollCore

@Suite("What the process shares with others", .timeLimit(.minutes(2)))
struct InheritanceTests {
    /// The descriptors that a new process finds open.
    private static func inheritedDescriptors() throws -> Set<String> {
        let path = "/tmp/netpoll-descriptors-\(getpid())"
        defer { unlink(path) }
        var arguments: [UnsafeMutablePointer<CChar>?] = [
            strdup("/bin/sh"), strdup("-c"), strdup("exec ls /proc/self/fd > \(path)"), nil,
        ]
        defer { for argument in arguments { free(argument) } }
        var child = pid_t()
        let status = posix_spawn(&child, "/bin/sh", nil, nil, &arguments, nil)
        guard status == 0 else { throw RawSocketError(call: "posix_spawn", number: status) }
        var outcome: Int32 = 0
        while waitpid(child, &outcome, 0) < 0, errno == EINTR {}
        guard let file = fopen(path, "r") else { throw RawSocketError(call: path, number: errno) }
        defer { fclose(file) }
        var names: Set<String> = []
        var line = [CChar](repeating: 0, count: 64)
        while fgets(&line, Int32(line.count), file) != nil {
            names.insert(String(decoding: line.prefix { $0 > 32 }.map(UInt8.init), as: UTF8.self))
        }
        return names
    }

    // Row C21, in a process of its own, because others open descriptors too.
    @Test("no descriptor of ours reaches a process that the application starts")
    func spawn() async {
        await #expect(processExitsWith: .success) {
            let before = try Self.inheritedDescriptors()
            #expect(before.count >= 3)
            let group = try EventLoopGroup(count: 2)
            let tcp = try Listener(on: .tcp(host: "127.0.0.1", port: 0), group: group) { _ in
                Echo()
            }
            let unix = try Listener(on: .unix(path: "@netpoll-spawn-\(getpid())"), group: group) {
                _ in Echo()
            }
            for listener in [tcp, unix] {
                let connection = try await Dialer(group: group).dial(listener.localAddress)
                try await connection.write([1])
                #expect(Array(try await connection.read(count: 1)) == [1])
                #expect(listener.connectionCount == 1)
            }
            let named = try await Dialer(group: group).dial(
                .tcp(host: "localhost", port: tcp.localAddress.port)
            )
            // Two loops with a queue and a waker each, two listeners, six ends of connections.
            #expect(ProcessState.descriptorCount >= 12)
            #expect(try Self.inheritedDescriptors() == before)
            named.close()
        }
    }

    // Row C20.
    @Test("no source asks the wall clock, so setting it moves no deadline")
    func monotonic() throws {
        let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let forbidden = [
            "CLOCK_REALTIME", "gettimeofday", "time(nil", "time(NULL", "Date(", "Date.now",
            "SuspendingClock", "UTCClock", "timespec_get", "DispatchWallTime",
        ]
        var count = 0
        for file in Self.sources(under: "/\(root)/Sources/NetpollCore")
            + Self.sources(under: "/\(root)/Sources/NetpollRPC")
            + Self.sources(under: "/\(root)/Sources/CNetpoll")
        {
            let text = try #require(Self.text(of: file))
            count += text.contains("CLOCK_MONOTONIC") ? 1 : 0
            for word in forbidden { #expect(!text.contains(word), "\(file) has \(word)") }
        }
        #expect(count > 0, "the sources were not found")
    }

    private static func sources(under folder: String) -> [String] {
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var found: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasPrefix(".") { continue }
            let path = "\(folder)/\(name)"
            if name.hasSuffix(".swift") || name.hasSuffix(".c") || name.hasSuffix(".h") {
                found.append(path)
            } else {
                found += sources(under: path)
            }
        }
        return found
    }

    private static func text(of path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            text += buffer[..<count]
        }
        return String(decoding: text, as: UTF8.self)
    }
}
