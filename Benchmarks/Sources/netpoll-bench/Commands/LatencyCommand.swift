import ArgumentParser

/// Latency at rates that do not depend on how fast the server answers.
struct LatencyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latency",
        abstract: "Measures latency of unary calls at fixed rates (open loop).",
        discussion: """
            First the rate of callers that wait for their replies (100 on two multiplexed connections). \
            Their calls meet in full batches, which calls at fixed times do not: the peak is the first \
            rate from there downwards, each 0.8 of the one before, that fixed times sustain for a \
            round. Then fixed rates as shares of the peak. Calls begin at fixed times, however long \
            earlier ones take, and latency counts from the time a call was meant to begin: a server \
            that stands still shows it in every call of that time (no coordinated omission). What the \
            load itself is late counts as latency as well. Percentiles are of HdrHistogram with three \
            digits (C load: with an error below 1 %).

            With --client swift this toolkit's client makes the calls: a thread keeps the time and \
            hands due calls to the loops every 0.1 ms, as calls come from elsewhere in a program. With \
            --client c the C client does it, which costs little, so that latency is the server's; the C \
            server that answers from a buffer then takes turns at the same rates, to show what of the \
            latency is the machine's.
            A run fails when calls pile up, or when fewer than 95 % of the calls end in time.
            """
    )

    enum Client: String, ExpressibleByArgument { case swift, c }

    @OptionGroup var options: RunOptions
    @Option(help: "swift or c.")
    var client = Client.swift
    @Option(parsing: .upToNextOption, help: "Shares of the peak rate.")
    var shares = [0.5]
    @Option(help: "The peak rate in calls a second, instead of measuring it.")
    var peak: Double?
    @Option(help: "Bytes of the message's text.")
    var size = 1024
    @Option(help: "Loops or threads of every program.")
    var threads = 2

    func validate() throws {
        guard shares.allSatisfy({ $0 > 0 }), (peak ?? 1) > 0 else {
            throw ValidationError("shares and rates must be positive")
        }
    }

    func run() async throws {
        var results = Results()
        let failure: (any Error)?
        do {
            try await measure { results.measurements.append($0) }
            failure = nil
        } catch {
            failure = error
        }
        var table = Table([
            "server", "share of peak", "intended/s", "calls/s", "p50 us", "p99 us", "p99.9 us",
            "p99/p50",
        ])
        for row in results.measurements {
            func cell(_ name: String, _ digits: Int) -> String {
                (row.values[name] ?? row.conditions[name]).map { fixed($0, digits) } ?? "-"
            }
            table.add([
                row.subject, row.conditions["share"].map { "\($0)" } ?? "closed loop",
                cell("intended_per_second", 0), cell("calls_per_second", 0), cell("p50_us", 0),
                cell("p99_us", 0), cell("p99_9_us", 0),
                fixed((row["p99_us"] ?? .nan) / (row["p50_us"] ?? .nan), 2),
            ])
        }
        print("open loop, \(client.rawValue) client, \(size) B")
        print(table.text)
        try results.write(to: options.json)
        if let failure { throw failure }
    }

    /// Hands each row on when it is measured.
    func measure(_ report: (Measurement) -> Void) async throws {
        var load = RPCLoad(threads: threads, size: size)
        func trials() -> [Trial] {
            client == .swift ? [load.ours] : [load.cClient, load.cOnly]
        }
        let peak: Double
        if let known = self.peak {
            peak = known
        } else {
            let row = try await run(Array(trials().prefix(1)), load.conditions, options.rounds)[0]
            report(row)
            peak = try await sustained(below: row["calls_per_second"] ?? 0) { rate in
                load.rate = rate
                return trials()[0]
            }
        }
        for share in shares {
            load.rate = peak * share
            var conditions = load.conditions
            conditions["share"] = share
            for row in try await run(trials(), conditions, options.rounds) {
                guard let rate = row["calls_per_second"], rate > 0.95 * peak * share else {
                    throw BenchError("the rate \(fixed(peak * share, 0))/s was not reached")
                }
                report(row)
            }
        }
    }

    /// The highest rate that calls at fixed times sustain.
    ///
    /// Too high a rate ends the load early. So does a wrong reply, which the measurement at a lower
    /// rate then tells.
    private func sustained(
        below rate: Double,
        _ trial: (Double) -> Trial
    ) async throws -> Double {
        var rate = rate
        for _ in 0..<16 {
            let row = try? await run([trial(rate)], [:], 1)[0]
            if let reached = row?["calls_per_second"], reached > 0.95 * rate { return rate }
            rate *= 0.8
        }
        throw BenchError("no rate was sustained, down to \(fixed(rate, 0))/s")
    }

    private func run(
        _ trials: [Trial],
        _ conditions: [String: Double],
        _ rounds: Int
    ) async throws -> [Measurement] {
        var contest = Contest("latency")
        for trial in trials { contest.add(trial, conditions) }
        return try await contest.run(
            rounds: rounds,
            seconds: options.seconds,
            counts: false
        )
    }
}
