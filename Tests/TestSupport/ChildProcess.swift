internal import Glibc

/// A program of this package that runs beside the tests; it is killed when this goes away.
public final class ChildProcess: @unchecked Sendable {
    // @unchecked: used by one thread at a time.

    private var identifier: pid_t

    /// Starts a program that lies beside the tests and waits until it has written a line.
    ///
    /// - Parameters:
    ///   - name: The program's name.
    ///   - arguments: Its arguments.
    /// - Throws: ``RawSocketError`` when it cannot be started or ends without a line.
    public init(_ name: String, _ arguments: String...) throws {
        var path = [CChar](repeating: 0, count: 4096)
        guard readlink("/proc/self/exe", &path, path.count - 1) > 0 else {
            throw RawSocketError(call: "readlink", number: errno)
        }
        let own = String(decoding: path.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
        let program = "/" + own.split(separator: "/").dropLast().joined(separator: "/") + "/\(name)"
        var ends: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, RawSocket.streamType, 0, &ends) == 0 else {
            throw RawSocketError(call: "socketpair", number: errno)
        }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        var words: [UnsafeMutablePointer<CChar>?] =
            ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        identifier = 0
        let status = posix_spawn(&identifier, program, &actions, nil, &words, environ)
        close(ends[1])
        guard status == 0 else { throw RawSocketError(call: program, number: status) }
        var byte: UInt8 = 0
        guard read(ends[0], &byte, 1) == 1 else {
            end()
            throw RawSocketError(call: "\(program) ended", number: EPIPE)
        }
    }

    deinit { end() }

    /// Stops the process and waits until it stands; its sockets stay open and nobody serves them.
    public func pause() {
        kill(identifier, SIGSTOP)
        var status: Int32 = 0
        while waitpid(identifier, &status, WUNTRACED) < 0, errno == EINTR {}
    }

    /// Lets a stopped process go on.
    public func resume() { kill(identifier, SIGCONT) }

    /// Sends the process a signal.
    public func signal(_ number: Int32) { kill(identifier, number) }

    /// Waits until the process has ended by itself.
    ///
    /// - Returns: Its exit code, or -1 if a signal ended it.
    public func waitForExit() -> Int32 {
        var status: Int32 = 0
        while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
        identifier = 0
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : -1
    }

    /// Kills the process and waits until it is gone.
    public func end() {
        guard identifier > 0 else { return }
        kill(identifier, SIGKILL)
        while waitpid(identifier, nil, 0) < 0, errno == EINTR {}
        identifier = 0
    }
}
