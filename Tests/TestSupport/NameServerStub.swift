internal import Glibc

/// A name server on a free UDP port of 127.0.0.1 that gives one answer section to every question.
public final class NameServerStub: @unchecked Sendable {
    // @unchecked: the descriptor is constant until `close()`, which its owner calls last.

    /// The port that the system chose.
    public let port: Int
    private let descriptor: Int32

    /// Binds.
    public init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0
                    ? getsockname(descriptor, address, &length) : Int32(-1)
            }
        }
        guard status == 0 else { throw RawSocketError(call: "bind", number: errno) }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { Glibc.close(descriptor) }

    /// Whether a question waits for its answer.
    public var hasQuestion: Bool {
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&wait, 1, 0) == 1
    }

    /// Waits for one question and answers it.
    ///
    /// - Parameters:
    ///   - records: The answer section.
    ///   - count: How many records it holds.
    ///   - code: The response code; 3 says that there is no such name.
    /// - Throws: ``RawSocketError``, for instance when no question comes in 20 s.
    public func answer(_ records: [UInt8], count: UInt8, code: UInt8 = 0) throws {
        var question = [UInt8](repeating: 0, count: 512)
        var peer = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let received = withUnsafeMutablePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, &question, question.count, 0, $0, &length)
            }
        }
        guard received >= 12 else { throw RawSocketError(call: "recvfrom", number: errno) }
        // Only the question is sent back, without what may follow it.
        var end = 12
        while end < received, question[end] != 0 { end += 1 + Int(question[end]) }
        var reply = Array(question[..<min(end + 5, received)])
        reply[2] = 0x81
        reply[3] = 0x80 | code
        reply[7] = count
        for index in 8..<12 { reply[index] = 0 }
        reply += records
        let sent = withUnsafePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, reply, reply.count, 0, $0, length)
            }
        }
        guard sent == reply.count else { throw RawSocketError(call: "sendto", number: errno) }
    }
}
