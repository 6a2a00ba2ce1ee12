import Glibc
import NetpollTesting
import TestSupport
import Testing

@testable import NetpollCore

/// A folder of its own that is removed at the end.
private final class Folder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/netpoll-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw RawSocketError(call: "mkdtemp", number: errno)
        }
        path = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
    }

    deinit {
        for name in ["s", "file"] { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    func makeFile(_ name: String) -> String {
        let path = "\(path)/\(name)"
        if let file = fopen(path, "w") {
            fputs("precious", file)
            fclose(file)
        }
        return path
    }

    /// Leaves a socket file behind as a killed server does.
    func makeStaleSocket() throws -> SocketAddress {
        let address = SocketAddress.unix(path: "\(path)/s")
        let socket = try Socket.make(family: AF_UNIX)
        let raw = try RawAddress.resolve(address, passive: true)[0]
        #expect(socket.bind(raw) == nil)
        return address
    }
}

// Row B20.
@Suite("Unix socket files", .timeLimit(.minutes(2)))
struct UnixSocketTests {
    private func expectEcho(_ group: EventLoopGroup, _ address: SocketAddress) async throws {
        let connection = try await Dialer(group: group).dial(address)
        try await connection.write([1])
        #expect(Array(try await connection.read(count: 1, deadline: .after(.seconds(20)))) == [1])
        connection.close()
    }

    private func listen(_ group: EventLoopGroup, _ address: SocketAddress) throws(NetpollError)
        -> Listener
    {
        try Listener(on: address, group: group) { _ in Echo() }
    }

    @Test("a regular file in the place of the socket is an address in use, and stays")
    func regularFile() async throws {
        let folder = try Folder()
        let group = try EventLoopGroup(count: 1)
        let path = folder.makeFile("file")
        let error = #expect(throws: NetpollError.self) { try listen(group, .unix(path: path)) }
        #expect(error?.code == .addressInUse)
        #expect(access(path, F_OK) == 0)
        let refused = await #expect(throws: NetpollError.self) {
            try await Dialer(group: group).dial(.unix(path: path))
        }
        #expect(refused?.code == .connectionRefused)
        await group.shutdown()
    }

    @Test("a socket file that a killed server left is refused for a client, replaced by a listener")
    func stale() async throws {
        let folder = try Folder()
        let group = try EventLoopGroup(count: 1)
        let address = try folder.makeStaleSocket()
        let refused = await #expect(throws: NetpollError.self) {
            try await Dialer(group: group).dial(address)
        }
        #expect(refused?.code == .connectionRefused)
        let listener = try listen(group, address)
        try await expectEcho(group, address)
        await listener.close()
        #expect(access("\(folder.path)/s", F_OK) != 0)
        await group.shutdown()
    }

    @Test("of many that start on a file left behind at once, one serves and keeps its file")
    func race() async throws {
        let folder = try Folder()
        let group = try EventLoopGroup(count: 1)
        for _ in 0..<40 {
            let address = try folder.makeStaleSocket()
            typealias Outcome = Result<Listener, NetpollError>
            let outcomes = try await withThrowingTaskGroup(of: Outcome.self) { tasks in
                for _ in 0..<8 {
                    tasks.addTask {
                        try await blocking {
                            Result { () throws(NetpollError) in try self.listen(group, address) }
                        }
                    }
                }
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
            let listeners = outcomes.compactMap { try? $0.get() }
            #expect(listeners.count == 1)
            for case .failure(let error) in outcomes { #expect(error.code == .addressInUse) }
            try await expectEcho(group, address)
            for listener in listeners { await listener.close() }
            #expect(access("\(folder.path)/s", F_OK) != 0, "nobody's file is left")
        }
        await group.shutdown()
    }

    @Test("a deleted socket file is refused, and its old listener leaves the new one's file alone")
    func deleted() async throws {
        let folder = try Folder()
        let group = try EventLoopGroup(count: 1)
        let address = SocketAddress.unix(path: "\(folder.path)/s")
        let first = try listen(group, address)
        unlink("\(folder.path)/s")
        let refused = await #expect(throws: NetpollError.self) {
            try await Dialer(group: group).dial(address)
        }
        #expect(refused?.code == .connectionRefused)
        let second = try listen(group, address)
        await first.close()
        try await expectEcho(group, address)
        await second.close()
        await group.shutdown()
    }

    @Test("a listener that comes after its group's end leaves no file behind")
    func endedGroup() async throws {
        let folder = try Folder()
        let group = try EventLoopGroup(count: 1)
        await group.shutdown()
        let error = #expect(throws: NetpollError.self) {
            try listen(group, .unix(path: "\(folder.path)/s"))
        }
        #expect(error?.code == .shutdown)
        #expect(access("\(folder.path)/s", F_OK) != 0)
    }

    @Test("a socket file without rights is a clear error")
    func noRights() async throws {
        let folder = try Folder()
        let group = try EventLoopGroup(count: 1)
        let address = SocketAddress.unix(path: "\(folder.path)/s")
        let listener = try listen(group, address)
        chmod("\(folder.path)/s", 0)
        if geteuid() == 0 {
            // The rights of one thread: root without its power over files.
            typealias SetUser = @convention(c) (UInt32) -> Int32
            let function = try #require(dlsym(nil, "setfsuid"))
            let address = Int(bitPattern: function)
            await group.loops[0].call {
                let function = UnsafeMutableRawPointer(bitPattern: address)
                _ = unsafeBitCast(function, to: SetUser.self)(65_534)
            }
        }
        let refused = await #expect(throws: NetpollError.self) {
            try await Dialer(group: group).dial(address)
        }
        #expect(refused?.errorNumber == EACCES)
        #expect(refused?.message.contains(folder.path) == true)
        await listener.close()
        await group.shutdown()
    }

    @Test("a path that is too long, and a folder that is not there, are clear errors")
    func badPaths() async throws {
        let group = try EventLoopGroup(count: 1)
        let long = SocketAddress.unix(path: "/tmp/" + String(repeating: "x", count: 103))
        let bind = #expect(throws: NetpollError.self) { try listen(group, long) }
        #expect(bind?.code == .invalidAddress)
        let dial = await #expect(throws: NetpollError.self) {
            try await Dialer(group: group).dial(long)
        }
        #expect(dial?.code == .invalidAddress)
        let missing = #expect(throws: NetpollError.self) {
            try listen(group, .unix(path: "/tmp/netpoll-no-such-folder/s"))
        }
        #expect(missing?.errorNumber == ENOENT)
        #expect([.invalidAddress, .system].contains(missing?.code))
        await group.shutdown()
    }

    @Test("the longest path there can be works")
    func longestPath() async throws {
        let folder = try Folder()
        let group = try EventLoopGroup(count: 1)
        let name = String(repeating: "x", count: 106 - folder.path.utf8.count)
        let address = SocketAddress.unix(path: "\(folder.path)/\(name)")
        let listener = try listen(group, address)
        try await expectEcho(group, address)
        await listener.close()
        #expect(access("\(folder.path)/\(name)", F_OK) != 0)
        await group.shutdown()
    }

    @Test("an abstract name is taken once, and free again when its listener closes")
    func abstract() async throws {
        let group = try EventLoopGroup(count: 1)
        let address = SocketAddress.unix(path: "@netpoll-abstract-tests").unique
        let listener = try listen(group, address)
        let taken = #expect(throws: NetpollError.self) { try listen(group, address) }
        #expect(taken?.code == .addressInUse)
        try await expectEcho(group, address)
        await listener.close()
        let refused = await #expect(throws: NetpollError.self) {
            try await Dialer(group: group).dial(address)
        }
        #expect(refused?.code == .connectionRefused)
        let second = try listen(group, address)
        try await expectEcho(group, address)
        await second.close()
        await group.shutdown()
    }

    @Test("a dial waits for a place in a full backlog as long as it may")
    func fullBacklog() async throws {
        let group = try EventLoopGroup(count: 1)
        let address = SocketAddress.unix(path: "@netpoll-backlog-tests").unique
        let socket = try Socket.make(family: AF_UNIX)
        let raw = try RawAddress.resolve(address, passive: true)[0]
        #expect(socket.bind(raw) == nil)
        try socket.listen(backlog: 0)
        let dialer = Dialer(group: group, connectTimeout: .seconds(10))
        let first = try await dialer.dial(address)
        let second = Task { try await dialer.dial(address) }
        try await group.loops[0].sleep(until: .after(.milliseconds(50)))
        guard case .accepted(let descriptor, _) = socket.accept() else {
            Issue.record("the first connection is not there")
            return
        }
        let outcome = await second.result
        #expect(throws: Never.self) { try outcome.get() }
        first.abort()
        if case .success(let connection) = outcome { connection.abort() }
        close(descriptor)
        await group.shutdown()
    }
}
