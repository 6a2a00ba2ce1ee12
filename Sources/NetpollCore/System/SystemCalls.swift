internal import CNetpoll

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

// The system calls whose names methods of `Socket` hide, under names of their own. Each fails as
// the call itself does: -1, and `errno` says why.

func systemClose(_ fileDescriptor: Int32) {
    // close(2) must not be retried: on Linux the descriptor is gone even after EINTR.
    _ = close(fileDescriptor)
}

func systemReceive(_ fileDescriptor: Int32, _ piece: iovec) -> Int {
    #if canImport(Darwin)
    recv(fileDescriptor, piece.iov_base, piece.iov_len, 0)
    #else
    cnetpoll_receive(fileDescriptor, piece.iov_base, piece.iov_len)
    #endif
}

func systemSend(_ fileDescriptor: Int32, _ piece: iovec) -> Int {
    #if canImport(Darwin)
    send(fileDescriptor, piece.iov_base, piece.iov_len, Platform.sendFlags)
    #else
    cnetpoll_send(fileDescriptor, piece.iov_base, piece.iov_len, Platform.sendFlags)
    #endif
}

func systemSend(_ fileDescriptor: Int32, _ pieces: UnsafeMutableBufferPointer<iovec>) -> Int {
    var message = Platform.makeMessage(pieces)
    return sendmsg(fileDescriptor, &message, Platform.sendFlags)
}

func systemBind(_ fileDescriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t)
    -> Int32
{ bind(fileDescriptor, address, length) }

func systemConnect(
    _ fileDescriptor: Int32,
    _ address: UnsafePointer<sockaddr>,
    _ length: socklen_t
) -> Int32 { connect(fileDescriptor, address, length) }

func systemListen(_ fileDescriptor: Int32, _ backlog: Int32) -> Int32 {
    listen(fileDescriptor, backlog)
}

func systemShutdown(_ fileDescriptor: Int32, _ direction: Int32) {
    // ENOTCONN means that the peer was faster, which leaves the same state.
    _ = shutdown(fileDescriptor, direction)
}
