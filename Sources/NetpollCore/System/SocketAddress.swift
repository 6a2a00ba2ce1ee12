/// Where to listen or connect: a TCP host and port, or the path of a Unix domain socket.
public enum SocketAddress: Sendable, Hashable {
    /// A host name or a numeric IPv4 or IPv6 address, and a port. Port 0 asks for any free port.
    case tcp(host: String, port: Int)
    /// The path of a Unix domain socket, at most 107 bytes. A leading `@` means Linux's abstract
    /// name space (unix(7)).
    case unix(path: String)

    /// Reads `tcp://HOST:PORT`, `tcp://[IPV6]:PORT` or `unix://PATH`.
    ///
    /// - Throws: ``NetpollError`` with code `invalidAddress`.
    public init(parsing text: String) throws(NetpollError) {
        if text.hasPrefix("unix://") {
            let path = String(text.dropFirst("unix://".count))
            guard !path.isEmpty else { throw Self.malformed(text) }
            self = .unix(path: path)
            return
        }
        guard text.hasPrefix("tcp://") else { throw Self.malformed(text) }
        let rest = text.dropFirst("tcp://".count)
        guard let colon = rest.lastIndex(of: ":"),
            let port = UInt16(rest[rest.index(after: colon)...])
        else { throw Self.malformed(text) }
        var host = rest[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { throw Self.malformed(text) }
        self = .tcp(host: String(host), port: Int(port))
    }

    var isUnix: Bool { if case .unix = self { true } else { false } }

    private static func malformed(_ text: String) -> NetpollError {
        NetpollError(
            .invalidAddress,
            "'\(text)' is not an address; write tcp://HOST:PORT or unix:///PATH"
        )
    }
}

extension SocketAddress: CustomStringConvertible {
    /// The form that ``init(parsing:)`` reads.
    public var description: String {
        switch self {
        case .tcp(let host, let port):
            host.contains(":") ? "tcp://[\(host)]:\(port)" : "tcp://\(host):\(port)"
        case .unix(let path): "unix://\(path)"
        }
    }
}
