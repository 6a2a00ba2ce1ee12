internal import CNetpoll

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// The outcome of a non-blocking read or write.
enum IOResult: Equatable {
    /// So many bytes moved; a read of zero bytes is the end of the stream.
    case moved(Int)
    /// Nothing could move now; wait for readiness.
    case wouldBlock
    /// The call failed with this `errno`.
    case failure(Int32)

    /// What the `errno` of a failed call means.
    static func failed(_ number: Int32) -> IOResult {
        number == EAGAIN || number == EWOULDBLOCK ? .wouldBlock : .failure(number)
    }
}

/// A non-blocking, close-on-exec stream socket that closes when its owner lets go of it.
struct Socket: ~Copyable {
    let fileDescriptor: Int32

    init(adopting fileDescriptor: Int32) { self.fileDescriptor = fileDescriptor }

    deinit { systemClose(fileDescriptor) }

    /// Opens a stream socket of an address family.
    static func make(family: Int32) throws(NetpollError) -> Socket {
        let fileDescriptor = Platform.makeSocket(family: family)
        guard fileDescriptor >= 0 else { throw SystemError.last("socket") }
        return Socket(adopting: fileDescriptor)
    }
}

extension Socket {
    /// readv(2) into memory, or the cheaper recv(2) into one piece; retried on `EINTR`.
    static func read(
        _ fileDescriptor: Int32,
        into vectors: UnsafeMutableBufferPointer<iovec>
    ) -> IOResult {
        while true {
            let count =
                vectors.count == 1
                ? systemReceive(fileDescriptor, vectors[0])
                : readv(fileDescriptor, vectors.baseAddress, Int32(clamping: vectors.count))
            if count >= 0 { return .moved(count) }
            if errno != EINTR { return .failed(errno) }
        }
    }

    /// sendmsg(2) of several pieces, or the cheaper send(2) of one; never raises `SIGPIPE`, retried on
    /// `EINTR`.
    static func write(
        _ fileDescriptor: Int32,
        _ vectors: UnsafeMutableBufferPointer<iovec>
    ) -> IOResult {
        while true {
            let count =
                vectors.count == 1
                ? systemSend(fileDescriptor, vectors[0])
                : systemSend(fileDescriptor, vectors)
            if count >= 0 { return .moved(count) }
            if errno != EINTR { return .failed(errno) }
        }
    }

    /// Ends the write direction, both directions or the read direction (shutdown(2)).
    static func shutdown(_ fileDescriptor: Int32, _ direction: ShutdownDirection) {
        systemShutdown(fileDescriptor, direction.rawValue)
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

    /// Makes the close send a reset instead of an end (`SO_LINGER` with no time, socket(7)).
    ///
    /// Unix sockets have no such thing: their peers learn of a close at once.
    func resetOnClose() {
        var value = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        _ = setsockopt(fileDescriptor, SOL_SOCKET, SO_LINGER, &value, size)
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
    /// a limit (`TCP_USER_TIMEOUT`, tcp(7)) while bytes are unacknowledged.
    private func enableLiveness(_ liveness: ConnectionOptions.Liveness) throws(NetpollError) {
        let tcp = Int32(IPPROTO_TCP)
        try setOption(SOL_SOCKET, SO_KEEPALIVE, 1)
        try Platform.setKeepAliveIdle(
            seconds: Int32(clamping: max(1, liveness.idle.components.seconds)),
            of: self
        )
        try setOption(
            tcp,
            TCP_KEEPINTVL,
            Int32(clamping: max(1, liveness.interval.components.seconds))
        )
        try setOption(tcp, TCP_KEEPCNT, Int32(clamping: max(1, liveness.probes)))
        try Platform.setUnacknowledgedLimit(
            milliseconds: liveness.unacknowledged.wholeMilliseconds,
            of: self
        )
    }

    func bind(_ address: RawAddress) -> Int32? {
        address.withSockaddr { systemBind(fileDescriptor, $0, $1) } == 0 ? nil : errno
    }

    func listen(backlog: Int32) throws(NetpollError) {
        guard systemListen(fileDescriptor, backlog) == 0 else { throw SystemError.last("listen") }
    }

    /// Starts to connect.
    ///
    /// `nil` means connected; `EINPROGRESS` means wait until writable.
    func connect(_ address: RawAddress, _ faults: (any SystemCallFaults)? = nil) -> Int32? {
        if case .failure(let number) = faults?.fault(for: .connect, on: fileDescriptor) {
            return number
        }
        return address.withSockaddr { systemConnect(fileDescriptor, $0, $1) } == 0 ? nil : errno
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
        let accepted = peer.withMutableSockaddr { Platform.accept(fileDescriptor, $0, $1) }
        if accepted >= 0 { return .accepted(accepted, peer) }
        let number = errno
        return number == EAGAIN || number == EWOULDBLOCK ? .wouldBlock : .failed(number)
    }
}
