#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// The file of a Unix socket that this process listens on.
struct SocketFile: Sendable {
    private let path: String
    private let inode: UInt64

    /// Notes the file of a bound address; `nil` for TCP and abstract addresses.
    init?(_ address: SocketAddress) {
        guard case .unix(let path) = address, !path.hasPrefix("@"), let inode = Self.inode(path)
        else {
            return nil
        }
        self.path = path
        self.inode = inode
    }

    /// Removes the file unless another process has put its own in the place.
    func remove() {
        if Self.inode(path) == inode { _ = unlink(path) }
    }

    private static func inode(_ path: String) -> UInt64? {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
        return UInt64(status.st_ino)
    }

    /// Removes a socket file that refuses connections: its listener died without cleaning up.
    ///
    /// A listener that has bound its file refuses too until it listens, so the file must refuse
    /// twice, 20 ms apart; the calling thread waits that long.
    ///
    /// - Returns: Whether a file was removed. Other files, and sockets in use, stay.
    static func removeIfStale(_ address: SocketAddress, _ raw: RawAddress) throws(NetpollError)
        -> Bool
    {
        guard case .unix(let path) = address, !path.hasPrefix("@"), let found = inode(path),
            try refuses(raw)
        else { return false }
        usleep(20_000)
        guard try refuses(raw), inode(path) == found else { return false }
        return unlink(path) == 0
    }

    private static func refuses(_ raw: RawAddress) throws(NetpollError) -> Bool {
        try Socket.make(family: AF_UNIX).connect(raw) == ECONNREFUSED
    }
}
