#if !canImport(Darwin)
internal import CNetpoll
internal import Glibc

/// What Linux does its own way.
enum Platform {
    static let streamType = Int32(SOCK_STREAM.rawValue)
    /// Keeps a write to a closed connection from raising `SIGPIPE`.
    static let sendFlags = Int32(MSG_NOSIGNAL)

    private static let socketFlags =
        Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

    static func makeSocket(family: Int32) -> Int32 { socket(family, streamType | socketFlags, 0) }

    static func accept(
        _ fileDescriptor: Int32,
        _ address: UnsafeMutablePointer<sockaddr>,
        _ length: UnsafeMutablePointer<socklen_t>
    ) -> Int32 { cnetpoll_accept(fileDescriptor, address, length) }

    static func makeMessage(_ vectors: UnsafeMutableBufferPointer<iovec>) -> msghdr {
        var message = msghdr()
        message.msg_iov = vectors.baseAddress
        message.msg_iovlen = vectors.count
        return message
    }

    /// Sets the idle time before the first keep-alive probe.
    static func setKeepAliveIdle(seconds: Int32, of socket: borrowing Socket) throws(NetpollError) {
        try socket.setOption(Int32(IPPROTO_TCP), TCP_KEEPIDLE, seconds)
    }

    /// Limits how long sent bytes may stay unacknowledged.
    static func setUnacknowledgedLimit(milliseconds: Int, of socket: borrowing Socket)
        throws(NetpollError)
    {
        try socket.setOption(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, Int32(clamping: milliseconds))
    }

    /// Where a length is kept in each address, it must be right; Linux keeps none.
    static func setLength(_ length: socklen_t, of address: inout sockaddr_un) {}

    static func initializeCondition(_ condition: UnsafeMutablePointer<pthread_cond_t>) {
        // None of these can fail: the memory is ours and the clock exists.
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    /// Waits for a condition, on the clock of ``Deadline``.
    ///
    /// - Returns: False when the deadline has passed.
    static func wait(
        _ condition: UnsafeMutablePointer<pthread_cond_t>,
        _ mutex: UnsafeMutablePointer<pthread_mutex_t>,
        until deadline: Deadline
    ) -> Bool {
        var time = timespec(
            tv_sec: Int(clamping: deadline.uptimeNanoseconds / 1_000_000_000),
            tv_nsec: Int(deadline.uptimeNanoseconds % 1_000_000_000)
        )
        return pthread_cond_timedwait(condition, mutex, &time) == 0
    }
}
#endif
