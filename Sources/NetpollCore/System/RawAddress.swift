#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// A resolved address in the kernel's form: a `sockaddr` of some family with its length.
struct RawAddress: Sendable {
    private var storage: sockaddr_storage
    private(set) var length: socklen_t

    var family: Int32 { Int32(storage.ss_family) }

    /// An empty address for the kernel to fill in.
    init() {
        storage = sockaddr_storage()
        length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    }

    init?(copying address: UnsafePointer<sockaddr>, length: socklen_t) {
        guard length <= MemoryLayout<sockaddr_storage>.size else { return nil }
        storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { target in
            target.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(length)))
        }
        self.length = length
    }

    /// The address of a Unix socket; `nil` when the path is empty or longer than `sun_path` allows.
    init?(unixPath path: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let isAbstract = path.hasPrefix("@")
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard !bytes.isEmpty, bytes.count < capacity, !bytes.contains(0) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { target in
            target.copyBytes(from: bytes)
            if isAbstract { target[0] = 0 }
        }
        // An abstract name is exactly its bytes; a path ends with a NUL.
        let used =
            MemoryLayout<sockaddr_un>.offset(of: \.sun_path).unsafelyUnwrapped
            + bytes.count + (isAbstract ? 0 : 1)
        Platform.setLength(socklen_t(used), of: &address)
        self.init()
        withUnsafeMutableBytes(of: &storage) { target in
            withUnsafeBytes(of: &address) { target.copyMemory(from: .init(rebasing: $0[..<used])) }
        }
        length = socklen_t(used)
    }

    func withSockaddr<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    mutating func withMutableSockaddr<R>(
        _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> R
    ) -> R {
        withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
        }
    }

    /// The public form, with a numeric host.
    var socketAddress: SocketAddress {
        if family == AF_UNIX { return .unix(path: unixPath) }
        return withSockaddr { address, length in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { host in
                withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16) { service in
                    guard let hostBase = host.baseAddress, let serviceBase = service.baseAddress,
                        getnameinfo(
                            address,
                            length,
                            hostBase,
                            socklen_t(host.count),
                            serviceBase,
                            socklen_t(service.count),
                            NI_NUMERICHOST | NI_NUMERICSERV
                        ) == 0
                    else { return .tcp(host: "unknown", port: 0) }
                    return .tcp(
                        host: String(cString: hostBase),
                        port: Int(String(cString: serviceBase)) ?? 0
                    )
                }
            }
        }
    }

    private var unixPath: String {
        let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        guard Int(length) > start else { return "" }
        return withUnsafeBytes(of: storage) { bytes in
            let path = bytes[start..<Int(length)]
            if path.first == 0 { return "@" + String(decoding: path.dropFirst(), as: UTF8.self) }
            return String(decoding: path.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// Resolves an address by getaddrinfo(3).
    ///
    /// Blocks for host names; numeric hosts return at once.
    static func resolve(
        _ address: SocketAddress,
        passive: Bool,
        numericOnly: Bool = false
    ) throws(NetpollError) -> [RawAddress] {
        switch address {
        case .unix(let path):
            guard let raw = RawAddress(unixPath: path) else {
                throw NetpollError(
                    .invalidAddress,
                    "the path of \(address) must have 1...107 bytes"
                )
            }
            return [raw]
        case .tcp(let host, let port):
            guard (0...65535).contains(port) else {
                throw NetpollError(.invalidAddress, "the port of \(address) must be 0...65535")
            }
            return try resolve(
                host: host,
                port: port,
                passive: passive,
                numericOnly: numericOnly
            )
        }
    }

    private static func resolve(
        host: String,
        port: Int,
        passive: Bool,
        numericOnly: Bool
    ) throws(NetpollError) -> [RawAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Platform.streamType
        hints.ai_flags =
            AI_NUMERICSERV | (passive ? AI_PASSIVE : 0)
            | (numericOnly ? AI_NUMERICHOST : 0)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else {
            let text = String(cString: gai_strerror(status))
            throw NetpollError(.invalidAddress, "resolve \(host):\(port): \(text)")
        }
        defer { if let list { freeaddrinfo(list) } }
        var found: [RawAddress] = []
        var next = list
        while let entry = next?.pointee {
            if let pointer = entry.ai_addr,
                let raw = RawAddress(copying: pointer, length: entry.ai_addrlen)
            {
                found.append(raw)
            }
            next = entry.ai_next
        }
        guard !found.isEmpty else {
            throw NetpollError(.invalidAddress, "resolve \(host):\(port): no address")
        }
        return found
    }
}
