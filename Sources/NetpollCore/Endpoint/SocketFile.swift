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
    /// - Returns: Whether a file was removed. Other files, and sockets in use, stay.
    static func removeIfStale(_ address: SocketAddress, _ raw: RawAddress) throws(NetpollError)
        -> Bool
    {
        guard case .unix(let path) = address, !path.hasPrefix("@"), inode(path) != nil else {
            return false
        }
        let probe = try Socket.make(family: AF_UNIX)
        guard probe.connect(raw) == ECONNREFUSED else { return false }
        return unlink(path) == 0
    }
}
