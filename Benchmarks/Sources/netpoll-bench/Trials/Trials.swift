/// The servers and loads that are compared.
enum Trials {
    /// The peers' programs, if they were built.
    struct Peers: Sendable {
        let directory: String
        func path(_ name: String) -> String { "\(directory)/\(name)" }
    }

    static let ours = "netpoll-swift"

    typealias Server = @Sendable (_ port: Int) -> Program

    static func echoServer(threads: Int) -> Server {
        {
            Program(
                "netpoll-bench",
                ["echo-server", "--listen", "tcp://127.0.0.1:\($0)", "--loops", "\(threads)"]
            )
        }
    }
    static func cEchoServer(threads: Int) -> Server {
        { Program("c-echo-server", ["\($0)", "\(threads)"]) }
    }
    static func rpcServer(threads: Int) -> Server {
        {
            Program(
                "netpoll-bench",
                ["rpc-server", "--listen", "tcp://127.0.0.1:\($0)", "--loops", "\(threads)"]
            )
        }
    }
    static func cRPCServer(threads: Int) -> Server {
        { Program("c-rpc-server", ["\($0)", "\(threads)"]) }
    }
}

/// How raw echo is loaded.
struct EchoLoad: Sendable {
    var threads = 2
    var connections = 100
    /// On how many connections a message is under way.
    var active = 100
    var size = 1024

    var conditions: [String: Double] {
        [
            "threads": Double(threads), "connections": Double(connections),
            "active": Double(active), "size_bytes": Double(size),
        ]
    }

    private func trial(_ subject: String, _ server: @escaping Trials.Server) -> Trial {
        Trial(subject: subject, client: "C", server: server) { [self] port, seconds in
            Program(
                "c-echo-client",
                [
                    "\(port)", "\(min(threads, active))", "\(connections)", "\(active)", "\(size)",
                    "\(seconds)",
                ]
            )
        }
    }

    var ours: Trial { trial(Trials.ours, Trials.echoServer(threads: threads)) }
    var c: Trial { trial("C epoll", Trials.cEchoServer(threads: threads)) }
    func nio(_ peers: Trials.Peers) -> Trial {
        let path = peers.path("nio-echo-server")
        return trial("SwiftNIO") { [threads] in Program(path, ["\($0)", "\(threads)"]) }
    }
}

/// How unary calls are loaded.
struct RPCLoad: Sendable {
    enum Connections: Sendable, Equatable {
        case mux(Int)
        case pooled(Int)

        var count: Int {
            switch self {
            case .mux(let count), .pooled(let count): count
            }
        }
        var name: String {
            switch self {
            case .mux(let count): "mux \(count)"
            case .pooled(let count): "pooled \(count)"
            }
        }
    }

    var threads = 2
    var connections = Connections.mux(2)
    /// More that are open and idle; the C load alone can.
    var idle = 0
    var callers = 100
    var size = 1024
    /// Calls a second that begin at fixed times; nil for a closed loop.
    var rate: Double?

    var conditions: [String: Double] {
        var conditions = [
            "threads": Double(threads), "connections": Double(connections.count + idle),
            "callers": Double(callers), "size_bytes": Double(size),
        ]
        if idle > 0 { conditions["active"] = Double(connections.count) }
        if let rate { conditions["intended_per_second"] = rate }
        return conditions
    }

    /// This toolkit's server under its own client.
    var ours: Trial { ours(Trials.ours, Trials.rpcServer(threads: threads)) }
    /// The C server under this toolkit's client.
    var cServer: Trial { ours("C fixed answer", Trials.cRPCServer(threads: threads)) }
    /// This toolkit's server under the C client.
    var cClient: Trial { c(Trials.ours, Trials.rpcServer(threads: threads)) }
    /// The limit: C on both sides.
    var cOnly: Trial { c("C fixed answer", Trials.cRPCServer(threads: threads)) }

    private func ours(_ subject: String, _ server: @escaping Trials.Server) -> Trial {
        Trial(
            subject: subject,
            client: "\(Trials.ours) \(connections.name)",
            server: server
        ) { [self] port, seconds in
            var arguments = [
                "rpc-client", "--connect", "tcp://127.0.0.1:\(port)", "--json",
                "--loops", "\(threads)", "--concurrency", "\(callers)", "--size", "\(size)",
                "--duration", "\(seconds)",
            ]
            switch connections {
            case .mux(let count): arguments += ["--mux", "\(count)"]
            case .pooled(let count): arguments += ["--pooled", "\(count)"]
            }
            if let rate { arguments += ["--rate", "\(rate)"] }
            return Program("netpoll-bench", arguments)
        }
    }

    private func c(_ subject: String, _ server: @escaping Trials.Server) -> Trial {
        Trial(subject: subject, client: "C \(connections.name)", server: server) {
            [self] port, seconds in
            let active = connections.count
            // With a rate the callers only limit what is under way.
            let callers = rate == nil ? max(callers, active) : 50_000
            return Program(
                "c-rpc-client",
                [
                    "\(port)", "\(min(threads, active))", "\(active + idle)", "\(active)",
                    "\(callers)", "\(size)", "\(seconds)", "\(rate ?? 0)",
                ]
            )
        }
    }

    /// gRPC Swift 2 on both sides, each connection a client of its own.
    func grpc(_ peers: Trials.Peers) -> Trial {
        let path = peers.path("grpc-peer")
        return Trial(subject: "gRPC Swift 2", client: "gRPC Swift 2 mux \(connections.count)") {
            [threads] in
            Program(path, ["server", "\($0)", "\(threads)"])
        } load: { [self] port, seconds in
            Program(
                path,
                [
                    "client", "\(port)", "\(threads)", "\(connections.count)", "\(callers)",
                    "\(size)", "\(Int(seconds.rounded(.up)))",
                ]
            )
        }
    }
}
