#if canImport(Darwin)
internal import Darwin

/// What Darwin does its own way.
enum Platform {
    static let streamType = SOCK_STREAM
    /// Darwin is told once for each socket that no write shall raise `SIGPIPE`.
    static let sendFlags: Int32 = 0

    static func makeSocket(family: Int32) -> Int32 { prepare(socket(family, streamType, 0)) }

    static func accept(
        _ fileDescriptor: Int32,
        _ address: UnsafeMutablePointer<sockaddr>,
        _ length: UnsafeMutablePointer<socklen_t>
    ) -> Int32 { prepare(Darwin.accept(fileDescriptor, address, length)) }

    /// Makes a socket non-blocking, closed on exec and silent about broken pipes.
    ///
    /// - Returns: The descriptor; or -1, and it is closed.
    private static func prepare(_ fileDescriptor: Int32) -> Int32 {
        guard fileDescriptor >= 0 else { return -1 }
        var one: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard fcntl(fileDescriptor, F_SETFD, FD_CLOEXEC) == 0,
            fcntl(fileDescriptor, F_SETFL, O_NONBLOCK) == 0,
            setsockopt(fileDescriptor, SOL_SOCKET, SO_NOSIGPIPE, &one, size) == 0
        else {
            let number = errno
            systemClose(fileDescriptor)
            errno = number
            return -1
        }
        return fileDescriptor
    }

    static func makeMessage(_ vectors: UnsafeMutableBufferPointer<iovec>) -> msghdr {
        var message = msghdr()
        message.msg_iov = vectors.baseAddress
        message.msg_iovlen = Int32(clamping: vectors.count)
        return message
    }

    /// Sets the idle time before the first keep-alive probe.
    static func setKeepAliveIdle(seconds: Int32, of socket: borrowing Socket) throws(NetpollError) {
        try socket.setOption(IPPROTO_TCP, TCP_KEEPALIVE, seconds)
    }

    /// Limits how long sent bytes may stay unacknowledged, rounded up to whole seconds.
    static func setUnacknowledgedLimit(milliseconds: Int, of socket: borrowing Socket)
        throws(NetpollError)
    {
        let seconds = milliseconds / 1000 + (milliseconds % 1000 == 0 ? 0 : 1)
        try socket.setOption(IPPROTO_TCP, TCP_RXT_CONNDROPTIME, Int32(clamping: seconds))
    }

    /// Notes the length of an address in itself.
    static func setLength(_ length: socklen_t, of address: inout sockaddr_un) {
        address.sun_len = UInt8(clamping: length)
    }

    static func initializeCondition(_ condition: UnsafeMutablePointer<pthread_cond_t>) {
        // Cannot fail: the memory is ours.
        pthread_cond_init(condition, nil)
    }

    /// Waits for a condition; Darwin measures relative waits on the monotonic clock.
    ///
    /// - Returns: False when the deadline has passed.
    static func wait(
        _ condition: UnsafeMutablePointer<pthread_cond_t>,
        _ mutex: UnsafeMutablePointer<pthread_mutex_t>,
        until deadline: Deadline
    ) -> Bool {
        let left = deadline.timeRemaining().wholeNanoseconds
        var time = timespec(
            tv_sec: Int(clamping: left / 1_000_000_000),
            tv_nsec: Int(left % 1_000_000_000)
        )
        return pthread_cond_timedwait_relative_np(condition, mutex, &time) == 0
    }
}
#endif
