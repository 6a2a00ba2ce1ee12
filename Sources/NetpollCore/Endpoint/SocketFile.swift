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

    /// Calls `body`, which binds and listens, while no other starting listener of the same folder
    /// does: else two that find the same stale file could each remove what the other has just made.
    ///
    /// Waits up to two seconds for the others. Without the lock, which a folder may refuse to those
    /// who cannot read it, nothing may be replaced.
    ///
    /// - Parameters:
    ///   - address: Where to listen; only a Unix socket file needs the lock (flock(2)).
    ///   - body: Told whether it may replace a file.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    static func whileFolderIsLocked<R: ~Copyable>(
        of address: SocketAddress,
        _ body: (_ mayReplace: Bool) throws(NetpollError) -> R
    ) throws(NetpollError) -> R {
        guard case .unix(let path) = address, !path.hasPrefix("@"),
            let folder = openFolder(of: path)
        else { return try body(false) }
        var isLocked = flock(folder.fileDescriptor, LOCK_EX | LOCK_NB) == 0
        for _ in 0..<200 where !isLocked {
            usleep(10_000)
            isLocked = flock(folder.fileDescriptor, LOCK_EX | LOCK_NB) == 0
        }
        // The lock ends with the descriptor.
        return try withExtendedLifetime(folder) { () throws(NetpollError) in try body(isLocked) }
    }

    private static func openFolder(of path: String) -> Socket? {
        let name = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        return descriptor >= 0 ? Socket(adopting: descriptor) : nil
    }

    /// Removes a socket file that refuses connections: its listener died without cleaning up.
    ///
    /// A listener that has bound its file refuses too until it listens, and not everybody takes the
    /// lock, so the file must refuse twice, 20 ms apart; the calling thread waits that long.
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
