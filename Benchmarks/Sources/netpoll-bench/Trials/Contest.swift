/// Trials that take turns, so that what else the machine does meets all of them alike.
struct Contest {
    private var entries: [(trial: Trial, row: Measurement)] = []
    let benchmark: String

    init(_ benchmark: String) { self.benchmark = benchmark }

    mutating func add(_ trial: Trial, _ conditions: [String: Double], _ part: String? = nil) {
        var row = Measurement(benchmark, trial.subject, client: trial.client, conditions)
        row.part = part
        entries.append((trial, row))
    }

    /// Runs every trial once a round, and once more to count if `counts` says so.
    func run(rounds: Int, seconds: Double, counts: Bool) async throws -> [Measurement] {
        var results = entries.map { _ in [Round]() }
        for round in 0..<rounds {
            // There and back, so that nobody always comes after the same neighbour.
            let order = Array(entries.indices)
            for index in round % 2 == 0 ? order : order.reversed() {
                results[index].append(try await entries[index].trial.measure(seconds: seconds))
            }
            StandardError.print("  \(benchmark): round \(round + 1) of \(rounds)")
        }
        var rows: [Measurement] = []
        for (index, entry) in entries.enumerated() {
            var row = entry.row
            row.set(results[index])
            if counts { row.set(try await entry.trial.count(seconds: min(seconds, 1))) }
            rows.append(row)
        }
        return rows
    }
}
