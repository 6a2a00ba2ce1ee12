import Glibc

@testable import NetpollCore

/// A blocking socket that can end in ways that a `Connection` would not.
final class RawClient {
    private let fileDescriptor: Int32

    init(connectingTo address: SocketAddress) throws {
        let raw = try RawAddress.resolve(address, passive: false)[0]
        fileDescriptor = socket(raw.family, Int32(SOCK_STREAM.rawValue), 0)
        let status = raw.withSockaddr { connect(fileDescriptor, $0, $1) }
        guard status == 0 else { throw SystemError.last("connect") }
    }

    func send(_ bytes: [UInt8]) { _ = write(fileDescriptor, bytes, bytes.count) }

    /// Closes with a reset (`SO_LINGER` 0).
    func reset() {
        var value = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            fileDescriptor,
            SOL_SOCKET,
            SO_LINGER,
            &value,
            socklen_t(MemoryLayout<linger>.size)
        )
        close(fileDescriptor)
    }
}
