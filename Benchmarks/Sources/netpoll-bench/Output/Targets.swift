/// What is measured against what is wanted.
struct Targets {
    private var table = Table(["target", "wanted", "measured", ""])
    private(set) var missed = 0

    /// The figures that Kitex 0.16.1 had on a machine of this kind, in calls a second; not of the
    /// same run.
    static let kitex = (mux: 57_000.0, pooled: 43_500.0)

    init(_ rows: [Measurement]) {
        echo(rows)
        calls(rows)
        rest(rows)
    }

    var text: String { table.text }

    private mutating func echo(_ rows: [Measurement]) {
        let echo = rows.filter { $0.benchmark == "echo" }
        atLeast("raw echo, 100 connections: messages/s to C epoll", 0.95) {
            Self.ratio(echo, Trials.ours, "C epoll", "calls_per_second")
        }
        let large = rows.filter {
            $0.benchmark == "size" && $0.conditions["size_bytes"] == 1_048_576
        }
        for (part, name) in [("echo", "raw echo"), ("rpc", "unary calls")] {
            let part = large.filter { $0.part == part }
            atLeast("\(name), 1 MiB: bytes/s to C", 0.9) {
                Self.ratio(part, Trials.ours, "C", "calls_per_second")
            }
        }
    }

    private mutating func calls(_ rows: [Measurement]) {
        let rpc = rows.filter { $0.benchmark == "rpc" }
        func row(_ subject: String, _ client: String) -> Measurement? {
            rpc.first { $0.subject == subject && $0.client == client }
        }
        let mux = row(Trials.ours, "\(Trials.ours) mux 2")
        let pooled = row(Trials.ours, "\(Trials.ours) pooled 100")
        for client in ["\(Trials.ours) mux 2", "C mux 2"] {
            atMost("server CPU of a call to C fixed answer, under \(client)", 2.0) {
                Self.ratio(
                    row(Trials.ours, client),
                    row("C fixed answer", client),
                    "server_cpu_us_per_call"
                )
            }
        }
        let grpc = rpc.first { $0.subject == "gRPC Swift 2" }
        atLeast("calls/s to gRPC Swift 2, mux", 15) { Self.ratio(mux, grpc, "calls_per_second") }
        atLeast("calls/s to gRPC Swift 2, pooled", 6) {
            Self.ratio(pooled, grpc, "calls_per_second")
        }
        atLeast("calls/s to Kitex 0.16.1, mux (recorded: 57,000)", 3) {
            mux?["calls_per_second"].map { $0 / Self.kitex.mux }
        }
        atLeast("calls/s to Kitex 0.16.1, pooled (recorded: 43,500)", 1.5) {
            pooled?["calls_per_second"].map { $0 / Self.kitex.pooled }
        }
        atMost("system calls of a call, mux, server", 0.2) { mux?["server_system_calls_per_call"] }
        atMost("allocations of a call, mux, server", 6) { mux?["server_allocations_per_call"] }
        atMost("allocations of a call, mux, client", 6) { mux?["client_allocations_per_call"] }
        let alone = row(Trials.ours, "\(Trials.ours) mux 1")
        atMost("allocations of a call, one caller, server", 6) {
            alone?["server_allocations_per_call"]
        }
        atMost("allocations of a call, one caller, client", 6) {
            alone?["client_allocations_per_call"]
        }
    }

    private mutating func rest(_ rows: [Measurement]) {
        for client in ["C", Trials.ours] {
            let row = rows.first {
                $0.benchmark == "latency" && $0.conditions["share"] == 0.5
                    && $0.subject == Trials.ours && ($0.client ?? "").hasPrefix(client)
            }
            atMost("p99 to p50 at half of the peak rate, open loop, \(client) client", 3) {
                row.flatMap { row in row["p99_us"].flatMap { p99 in row["p50_us"].map { p99 / $0 } }
                }
            }
        }
        let stall = rows.filter { $0.benchmark == "stall" }
        atMost("p99 of fast calls beside 1 % that block 50 ms, to undisturbed", 2) {
            stall.count == 2 ? Self.ratio(stall[1], stall[0], "p99_us") : nil
        }
        for part in ["echo", "rpc"] {
            let rows = rows.filter {
                $0.benchmark == "connections" && $0.part == part && $0.subject == Trials.ours
            }
            atMost("server CPU of a call, 10,000 connections to 10, 1 % active, \(part)", 1.3) {
                Self.ratio(
                    rows.first { $0.conditions["connections"] == 10_000 },
                    rows.first { $0.conditions["connections"] == 10 },
                    "server_cpu_us_per_call"
                )
            }
        }
        for row in rows where row.benchmark == "idle" {
            atMost("bytes of an idle connection, \(row.part ?? "")", 2048) {
                row["bytes_per_connection"]
            }
        }
    }

    private mutating func atLeast(_ name: String, _ wanted: Double, _ value: () -> Double?) {
        add(name, "≥ \(wanted)", value()) { $0 >= wanted }
    }

    private mutating func atMost(_ name: String, _ wanted: Double, _ value: () -> Double?) {
        add(name, "≤ \(wanted)", value()) { $0 <= wanted }
    }

    private mutating func add(
        _ name: String,
        _ wanted: String,
        _ value: Double?,
        _ isMet: (Double) -> Bool
    ) {
        guard let value, value.isFinite else {
            return table.add([name, wanted, "-", "not measured"])
        }
        if !isMet(value) { missed += 1 }
        table.add([name, wanted, fixed(value, 2), isMet(value) ? "met" : "missed"])
    }

    /// The figure of one subject's row to that of another's, whose name begins so.
    private static func ratio(
        _ rows: [Measurement],
        _ subject: String,
        _ other: String,
        _ name: String
    ) -> Double? {
        ratio(
            rows.first { $0.subject == subject },
            rows.first { $0.subject.hasPrefix(other) },
            name
        )
    }

    private static func ratio(_ row: Measurement?, _ other: Measurement?, _ name: String) -> Double?
    {
        guard let row, let other else { return nil }
        return row.ratio(of: name, to: other)
    }
}
