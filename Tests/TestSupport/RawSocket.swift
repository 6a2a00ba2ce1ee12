internal import Glibc

/// A system call that failed.
public struct RawSocketError: Error, CustomStringConvertible {
    /// The call.
    public let call: String
    /// Its `errno`.
    public let number: Int32

    /// Creates the error.
    public init(call: String, number: Int32) {
        self.call = call
        self.number = number
    }

    /// The call and the system's text.
    public var description: String { "\(call): \(String(cString: strerror(number)))" }
}

/// A blocking stream socket that does exactly what it is told, for peers that misbehave.
///
/// No call blocks for more than 20 s. One thread at a time.
public final class RawSocket: @unchecked Sendable {
    // @unchecked: used by one thread at a time, as the summary says.

    /// How the other side ended.
    public enum End: Sendable, Equatable {
        case finished
        case reset
    }

    private var descriptor: Int32

    /// Takes over a descriptor.
    public init(adopting descriptor: Int32) throws {
        self.descriptor = descriptor
        guard descriptor >= 0 else { throw RawSocketError(call: "socket", number: errno) }
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    }

    deinit { close() }

    /// Connects to a port of 127.0.0.1.
    ///
    /// - Parameters:
    ///   - port: The port.
    ///   - receiveBuffer: `SO_RCVBUF`, set before connecting so that the window stays small.
    /// - Throws: ``RawSocketError``.
    public convenience init(port: Int, receiveBuffer: Int32? = nil) throws {
        try self.init(adopting: socket(AF_INET, Self.streamType, 0))
        if let receiveBuffer { set(SOL_SOCKET, SO_RCVBUF, receiveBuffer) }
        set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        var address = sockaddr_in.loopback(port)
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw RawSocketError(call: "connect", number: errno) }
    }

    static var streamType: Int32 { Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) }

    /// Sets an integer option.
    public func set(_ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// The size of the kernel's send buffer (`SO_SNDBUF`).
    public func setSendBuffer(_ byteCount: Int32) { set(SOL_SOCKET, SO_SNDBUF, byteCount) }

    /// Sends all bytes.
    public func send(_ bytes: some Sequence<UInt8>) throws {
        let bytes = Array(bytes)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count >= 0 else { throw RawSocketError(call: "send", number: errno) }
            sent += count
        }
    }

    /// Sends as many of the bytes as the kernel takes without waiting; 0 when it is full.
    public func sendWithoutWaiting(_ bytes: [UInt8]) throws -> Int {
        let count = Glibc.send(
            descriptor,
            bytes,
            bytes.count,
            Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        )
        if count < 0, errno == EAGAIN { return 0 }
        guard count >= 0 else { throw RawSocketError(call: "send", number: errno) }
        return count
    }

    /// Sends bytes one by one, each in a segment of its own.
    public func drip(_ bytes: some Sequence<UInt8>) throws {
        for byte in bytes { try send([byte]) }
    }

    /// Receives at most `limit` bytes; none at the end of the stream.
    public func receive(upTo limit: Int = 1 << 16) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = recv(descriptor, &bytes, limit, 0)
        guard count >= 0 else { throw RawSocketError(call: "recv", number: errno) }
        return Array(bytes[..<count])
    }

    /// Receives exactly so many bytes, or fewer when the stream ends.
    public func receive(count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try receive(upTo: min(count - bytes.count, 1 << 18))
            if more.isEmpty { break }
            bytes += more
        }
        return bytes
    }

    /// Reads and drops until the other side ends.
    public func receiveEnd() throws -> End {
        do {
            while try !receive().isEmpty {}
            return .finished
        } catch let error as RawSocketError where error.number == ECONNRESET {
            return .reset
        }
    }

    /// Waits until the socket can be written, at most so long; whether it can.
    public func awaitWritable(milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }

    /// Ends the write direction.
    public func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Closes with a reset instead of an end (`SO_LINGER` 0).
    public func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            descriptor,
            SOL_SOCKET,
            SO_LINGER,
            &option,
            socklen_t(MemoryLayout<linger>.size)
        )
        close()
    }

    /// Closes.
    public func close() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }
}

/// A blocking listener on a free port of 127.0.0.1.
public final class RawListener: @unchecked Sendable {
    // @unchecked: the descriptor is constant until `close()`, which its owner calls last.

    /// The port that the system chose.
    public let port: Int
    private var descriptor: Int32

    /// Binds and listens.
    public init(port wanted: Int = 0, backlog: Int32 = 128) throws {
        descriptor = socket(AF_INET, RawSocket.streamType, 0)
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        var address = sockaddr_in.loopback(wanted)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard bind(descriptor, address, length) == 0, listen(descriptor, backlog) == 0
                else { return Int32(-1) }
                return getsockname(descriptor, address, &length)
            }
        }
        guard status == 0 else { throw RawSocketError(call: "listen", number: errno) }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close() }

    /// Accepts one connection.
    public func accept() throws -> RawSocket {
        try RawSocket(adopting: Glibc.accept(descriptor, nil, nil))
    }

    /// Stops listening.
    public func close() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }
}

extension sockaddr_in {
    fileprivate static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
