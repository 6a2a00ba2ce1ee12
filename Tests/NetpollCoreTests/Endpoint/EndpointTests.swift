import Glibc
import Testing

@testable import NetpollCore

@Suite("Listener and Dialer", .timeLimit(.minutes(1)))
struct EndpointTests {
    @Test(
        "dialling a closed port, a missing socket file and a bad address tells which it is",
        arguments: [
            (
                SocketAddress.unix(path: "/tmp/netpoll-missing.sock"),
                NetpollError.Code.connectionRefused
            ),
            (.unix(path: "@netpoll-nobody"), .connectionRefused),
            (.unix(path: ""), .invalidAddress),
            (.unix(path: String(repeating: "x", count: 200)), .invalidAddress),
            (.tcp(host: "127.0.0.1", port: 99_999), .invalidAddress),
            (.tcp(host: "no such host", port: 1), .invalidAddress),
        ]
    )
    func dialErrors(address: SocketAddress, code: NetpollError.Code) async throws {
        let group = try EventLoopGroup(count: 1)
        let error = await #expect(throws: NetpollError.self) {
            try await Dialer(group: group, connectTimeout: .seconds(30)).dial(address)
        }
        #expect(error?.code == code)
        await group.shutdown()
    }

    @Test("a refused port is a refused connection")
    func refused() async throws {
        let group = try EventLoopGroup(count: 1)
        // Bound and not listening: nobody else can take the port meanwhile.
        let socket = try Socket.make(family: AF_INET)
        let any = try RawAddress.resolve(.tcp(host: "127.0.0.1", port: 0), passive: true)[0]
        #expect(socket.bind(any) == nil)
        let address = try #require(socket.localAddress?.socketAddress)
        let error = await #expect(throws: NetpollError.self) {
            try await Dialer(group: group).dial(address)
        }
        #expect(error?.code == .connectionRefused && error?.errorNumber == ECONNREFUSED)
        await group.shutdown()
    }

    @Test("connections that come at once are spread evenly over the loops")
    func spread() async throws {
        let group = try EventLoopGroup(count: 2)
        let counts = Locked([0, 0])
        let listener = try Listener(on: .tcp(host: "127.0.0.1", port: 0), group: group) {
            connection in
            let index = connection.loop.index
            counts.withLock { $0[index] += 1 }
            return nil
        }
        // While both loops are held, all connections come into the backlog.
        let isFree = Locked(false)
        for loop in group.loops {
            loop.execute { while !isFree.withLock({ $0 }) { usleep(100) } }
        }
        let clients = try (0..<40).map { _ in
            try RawClient(connectingTo: listener.localAddress)
        }
        isFree.withLock { $0 = true }
        try await eventually("all are accepted") { counts.withLock { $0.reduce(0, +) } == 40 }
        let spread = counts.withLock { $0 }
        #expect(abs(spread[0] - spread[1]) <= 4, "\(spread)")
        for client in clients { client.reset() }
        await listener.close()
        await group.shutdown()
    }

    @Test("an address in use is told as such, for TCP and for a live Unix socket")
    func inUse() async throws {
        let group = try EventLoopGroup(count: 1)
        for address in [
            SocketAddress.tcp(host: "127.0.0.1", port: 0),
            .unix(path: "/tmp/netpoll-\(getpid())-used.sock"),
        ] {
            let first = try Listener(on: address, group: group) { _ in nil }
            let error = #expect(throws: NetpollError.self) {
                try Listener(on: first.localAddress, group: group) { _ in nil }
            }
            #expect(error?.code == .addressInUse)
            await first.close()
        }
        await group.shutdown()
    }

    @Test("a socket file is removed at the end, and one left behind is replaced")
    func socketFiles() async throws {
        let path = "/tmp/netpoll-\(getpid())-stale.sock"
        let group = try EventLoopGroup(count: 1)
        // What a killed server leaves: a bound socket file that nobody listens on.
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        close(descriptor)
        #expect(access(path, F_OK) == 0)
        let listener = try Listener(on: .unix(path: path), group: group) { _ in Echo() }
        let connection = try await Dialer(group: group).dial(.unix(path: path))
        connection.abort()
        await listener.close()
        #expect(access(path, F_OK) != 0)
        await group.shutdown()
    }

    @Test("connections above the limit are closed at once, and the others are served")
    func connectionLimit() async throws {
        let group = try EventLoopGroup(count: 2)
        var options = ListenerOptions()
        options.connectionLimit = 2
        let listener = try Listener(
            on: .unix(path: "@netpoll-limit-tests"),
            group: group,
            options: options
        ) { _ in Echo() }
        var connections: [Connection] = []
        for _ in 0..<2 {
            let connection = try await Dialer(group: group).dial(listener.localAddress)
            try await connection.write([1])
            _ = try await connection.read(count: 1)
            connections.append(connection)
        }
        let third = try await Dialer(group: group).dial(listener.localAddress)
        #expect(try await third.read(deadline: .after(.seconds(30))) == nil as BufferSlice?)
        try await connections[0].write([2])
        #expect(try await connections[0].read(count: 1).count == 1)
        for connection in connections + [third] { connection.abort() }
        await listener.close()
        await group.shutdown()
    }

    @Test(
        "a pooled connection leaves the pool when its peer closes it, and the next caller gets another"
    )
    func poolEviction() async throws {
        let group = try EventLoopGroup(count: 2)
        let address = SocketAddress.unix(path: "@netpoll-pool-tests")
        let dialer = Dialer(group: group)
        let pool = ConnectionPool<Connection>(group: group) { dialer.dial(address, completion: $0) }
        for round in 1...3 {
            let accepted = Locked<[Connection]>([])
            let listener = try Listener(on: address, group: group) { connection in
                accepted.withLock { $0.append(connection) }
                return Echo()
            }
            let connection = try await pool.checkOut(deadline: .after(.seconds(30)))
            try await connection.write([UInt8(round)])
            #expect(Array(try await connection.read(count: 1)) == [UInt8(round)])
            pool.checkIn(connection)
            #expect(pool.statistics.idle == 1)
            await listener.close()
            for accepted in accepted.withLock({ $0 }) { accepted.close() }
            // The peer's end arrives by itself: nobody uses the connection.
            try await eventually("the pool is empty") {
                pool.statistics.live == 0 && pool.statistics.idle == 0
            }
        }
        pool.close()
        let error = await #expect(throws: NetpollError.self) { try await pool.checkOut() }
        #expect(error?.code == .shutdown)
        await group.shutdown()
    }

    @Test(
        "addresses are read and written in one form",
        arguments: [
            ("tcp://127.0.0.1:80", SocketAddress.tcp(host: "127.0.0.1", port: 80)),
            ("tcp://[::1]:0", .tcp(host: "::1", port: 0)),
            ("tcp://example.org:65535", .tcp(host: "example.org", port: 65535)),
            ("unix:///tmp/a b", .unix(path: "/tmp/a b")),
            ("unix://@name", .unix(path: "@name")),
        ]
    )
    func addresses(text: String, address: SocketAddress) throws {
        #expect(try SocketAddress(parsing: text) == address && address.description == text)
    }

    @Test(
        "anything else is not an address",
        arguments: [
            "", "127.0.0.1:80", "tcp://", "tcp://host", "tcp://host:", "tcp://host:65536",
            "tcp://:80", "unix://", "udp://h:1",
        ]
    )
    func badAddresses(text: String) {
        let error = #expect(throws: NetpollError.self) { try SocketAddress(parsing: text) }
        #expect(error?.code == .invalidAddress)
    }
}
