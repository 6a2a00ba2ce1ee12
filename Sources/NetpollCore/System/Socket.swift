internal import CNetpoll

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The outcome of a non-blocking read or write.
enum IOResult: Equatable {
    /// So many bytes moved; a read of zero bytes is the end of the stream.
    case moved(Int)
    /// Nothing could move now; wait for readiness.
    case wouldBlock
    /// The call failed with this `errno`.
    case failed(Int32)
}

/// A non-blocking, close-on-exec stream socket that closes when its owner lets go of it.
struct Socket: ~Copyable {
    let fileDescriptor: Int32

    init(adopting fileDescriptor: Int32) { self.fileDescriptor = fileDescriptor }

    deinit {
        // close(2) must not be retried: on Linux the descriptor is gone even after EINTR.
        _ = Glibc.close(fileDescriptor)
    }

    static var streamType: Int32 { Int32(SOCK_STREAM.rawValue) }

    /// Opens a stream socket of an address family.
    static func make(family: Int32) throws(NetpollError) -> Socket {
        let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let fileDescriptor = socket(family, streamType | flags, 0)
        guard fileDescriptor >= 0 else { throw SystemError.last("socket") }
        return Socket(adopting: fileDescriptor)
    }

    /// Two stream sockets that are joined (socketpair(2)).
    static func makePair() throws(NetpollError) -> SocketPair {
        let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        var descriptors: (Int32, Int32) = (-1, -1)
        let status = withUnsafeMutableBytes(of: &descriptors) { bytes in
            socketpair(
                AF_UNIX,
                streamType | flags,
                0,
                bytes.bindMemory(to: Int32.self).baseAddress
            )
        }
        guard status == 0 else { throw SystemError.last("socketpair") }
        return SocketPair(
            first: Socket(adopting: descriptors.0),
            second: Socket(adopting: descriptors.1)
        )
    }
}

/// Two sockets that are joined.
struct SocketPair: ~Copyable {
    var first: Socket
    var second: Socket
}

extension Socket {
    /// read(2) into memory, retried on `EINTR`.
    static func read(
        _ fileDescriptor: Int32,
        into buffer: UnsafeMutableRawBufferPointer,
        _ faults: (any SystemCallFaults)? = nil
    ) -> IOResult {
        while true {
            var byteCount = buffer.count
            var number = faults?.fault(for: .read, on: fileDescriptor)?.apply(to: &byteCount)
            if number == nil {
                let count = Glibc.read(fileDescriptor, buffer.baseAddress, byteCount)
                if count >= 0 { return .moved(count) }
                number = errno
            }
            if let number, number != EINTR { return failure(number) }
        }
    }

    /// sendmsg(2) of several pieces without raising `SIGPIPE`, retried on `EINTR`.
    static func write(
        _ fileDescriptor: Int32,
        _ vectors: UnsafeMutableBufferPointer<iovec>,
        _ faults: (any SystemCallFaults)? = nil
    ) -> IOResult {
        var message = msghdr()
        message.msg_iov = vectors.baseAddress
        message.msg_iovlen = vectors.count
        while true {
            var number: Int32?
            if let fault = faults?.fault(for: .write, on: fileDescriptor), vectors.count > 0 {
                var byteCount = vectors[0].iov_len
                number = fault.apply(to: &byteCount)
                vectors[0].iov_len = byteCount
                message.msg_iovlen = 1
            }
            if number == nil {
                let count = sendmsg(fileDescriptor, &message, Int32(MSG_NOSIGNAL))
                if count >= 0 { return .moved(count) }
                number = errno
            }
            if let number, number != EINTR { return failure(number) }
        }
    }

    private static func failure(_ number: Int32) -> IOResult {
        number == EAGAIN || number == EWOULDBLOCK ? .wouldBlock : .failed(number)
    }

    /// Ends the write direction, both directions or the read direction (shutdown(2)).
    static func shutdown(_ fileDescriptor: Int32, _ direction: ShutdownDirection) {
        // ENOTCONN means that the peer was faster, which leaves the same state.
        _ = Glibc.shutdown(fileDescriptor, direction.rawValue)
    }

    enum ShutdownDirection {
        case write, both

        var rawValue: Int32 {
            switch self {
            case .write: Int32(SHUT_WR)
            case .both: Int32(SHUT_RDWR)
            }
        }
    }
}

extension Socket {
    func setOption(_ level: Int32, _ name: Int32, _ value: Int32) throws(NetpollError) {
        var value = value
        guard
            setsockopt(fileDescriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
                == 0
        else { throw SystemError.last("setsockopt(\(level), \(name))") }
    }

    /// The pending error of the socket (`SO_ERROR`), 0 for none.
    func pendingError() -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(fileDescriptor, SOL_SOCKET, SO_ERROR, &value, &length) == 0 else {
            return errno
        }
        return value
    }

    var localAddress: RawAddress? { address { getsockname(fileDescriptor, $0, $1) } }
    var peerAddress: RawAddress? { address { getpeername(fileDescriptor, $0, $1) } }

    private func address(
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> RawAddress? {
        var raw = RawAddress()
        return raw.withMutableSockaddr(call) == 0 ? raw : nil
    }

    /// Sets what the options ask of the kernel.
    ///
    /// A socket whose peer has gone already refuses some; its first read tells why.
    func configure(_ options: ConnectionOptions, isTCP: Bool) {
        if let size = options.receiveBufferSize {
            try? setOption(SOL_SOCKET, SO_RCVBUF, Int32(clamping: size))
        }
        if let size = options.sendBufferSize {
            try? setOption(SOL_SOCKET, SO_SNDBUF, Int32(clamping: size))
        }
        guard isTCP else { return }
        if options.sendsImmediately { try? setOption(Int32(IPPROTO_TCP), TCP_NODELAY, 1) }
        if let liveness = options.liveness { try? enableLiveness(liveness) }
    }

    /// Keeps a dead TCP peer from going unnoticed: keep-alive probes while idle and
    /// `TCP_USER_TIMEOUT` while bytes are unacknowledged (tcp(7)).
    private func enableLiveness(_ liveness: ConnectionOptions.Liveness) throws(NetpollError) {
        let tcp = Int32(IPPROTO_TCP)
        try setOption(SOL_SOCKET, SO_KEEPALIVE, 1)
        try setOption(tcp, TCP_KEEPIDLE, Int32(clamping: max(1, liveness.idle.components.seconds)))
        try setOption(
            tcp,
            TCP_KEEPINTVL,
            Int32(clamping: max(1, liveness.interval.components.seconds))
        )
        try setOption(tcp, TCP_KEEPCNT, Int32(clamping: max(1, liveness.probes)))
        try setOption(
            tcp,
            TCP_USER_TIMEOUT,
            Int32(clamping: liveness.unacknowledged.wholeMilliseconds)
        )
    }

    func bind(_ address: RawAddress) -> Int32? {
        address.withSockaddr { Glibc.bind(fileDescriptor, $0, $1) } == 0 ? nil : errno
    }

    func listen(backlog: Int32) throws(NetpollError) {
        guard Glibc.listen(fileDescriptor, backlog) == 0 else { throw SystemError.last("listen") }
    }

    /// Starts to connect.
    ///
    /// `nil` means connected; `EINPROGRESS` means wait until writable.
    func connect(_ address: RawAddress, _ faults: (any SystemCallFaults)? = nil) -> Int32? {
        if case .failure(let number) = faults?.fault(for: .connect, on: fileDescriptor) {
            return number
        }
        return address.withSockaddr { Glibc.connect(fileDescriptor, $0, $1) } == 0 ? nil : errno
    }

    /// The outcome of one accept4(2).
    enum AcceptResult {
        case accepted(Int32, RawAddress)
        case wouldBlock
        case failed(Int32)
    }

    func accept(_ faults: (any SystemCallFaults)? = nil) -> AcceptResult {
        if case .failure(let number) = faults?.fault(for: .accept, on: fileDescriptor) {
            return number == EAGAIN || number == EWOULDBLOCK ? .wouldBlock : .failed(number)
        }
        var peer = RawAddress()
        let accepted = peer.withMutableSockaddr { cnetpoll_accept(fileDescriptor, $0, $1) }
        if accepted >= 0 { return .accepted(accepted, peer) }
        let number = errno
        return number == EAGAIN || number == EWOULDBLOCK ? .wouldBlock : .failed(number)
    }
}
