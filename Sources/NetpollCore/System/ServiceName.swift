internal import CNetpoll

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// A service to look up, and whom to ask.
struct ServiceName: Sendable, Hashable, CustomStringConvertible {
    let name: String
    let nameServer: SocketAddress?

    var description: String { name }

    /// Look-ups on threads, because res_nquery(3) blocks.
    static func lookups() -> BlockingLookups<ServiceName, [ServiceRecord]> {
        BlockingLookups(threadLimit: 8, queueLimit: 256) { service in
            Result { () throws(NetpollError) in try service.lookUp() }
        }
    }

    /// Asks the system's name servers, over UDP and, for long answers, TCP.
    private func lookUp() throws(NetpollError) -> [ServiceRecord] {
        var answer = [UInt8](repeating: 0, count: 1 << 16)
        let capacity = Int32(answer.count)
        let server = try serverAddress()
        let count: Int32
        if let server {
            count = server.withSockaddr { address, _ in
                cnetpoll_query_service(name, &answer, capacity, address)
            }
        } else {
            count = cnetpoll_query_service(name, &answer, capacity, nil)
        }
        switch count {
        case CNETPOLL_QUERY_NO_NAME:
            throw NetpollError(.invalidAddress, "resolve \(name): there is no such name")
        case CNETPOLL_QUERY_NO_DATA: return []
        case ..<0:
            throw NetpollError(.timedOut, "resolve \(name): no name server has an answer")
        default:
            return try ServiceRecord.parse(Array(answer.prefix(Int(count))))
        }
    }

    private func serverAddress() throws(NetpollError) -> RawAddress? {
        guard let nameServer else { return nil }
        let found = try RawAddress.resolve(nameServer, passive: false, numericOnly: true).first
        guard let found, found.family == AF_INET else {
            throw NetpollError(.invalidAddress, "\(nameServer) is not a numeric IPv4 address")
        }
        return found
    }
}
