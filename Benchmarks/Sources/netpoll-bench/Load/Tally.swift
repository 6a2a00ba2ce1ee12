import Histogram
import Synchronization

/// What callers saw.
struct Tally: Sendable {
    /// Latencies in nanoseconds, with three significant digits.
    private(set) var latencies = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
    private(set) var errors: [String: Int] = [:]
    private(set) var succeeded = 0

    init() {
        // Makes the histogram take its memory now, up to a minute, and not in the first call.
        latencies.record(60_000_000_000)
        latencies.reset()
    }

    mutating func record(_ nanoseconds: UInt64, _ failure: String?) {
        if let failure {
            errors[failure, default: 0] += 1
        } else {
            succeeded += 1
            latencies.record(nanoseconds)
        }
    }

    mutating func add(_ other: Tally) {
        succeeded += other.succeeded
        errors.merge(other.errors, uniquingKeysWith: +)
        for bucket in other.latencies.recordedValues() {
            latencies.record(bucket.value, count: bucket.count)
        }
    }

    func microseconds(_ percentile: Double) -> Double {
        Double(latencies.valueAtPercentile(percentile)) / 1000
    }
}

/// The tally of all callers on one loop: a histogram takes a third of a megabyte.
final class SharedTally: Sendable {
    private let tally = Mutex(Tally())

    func record(_ nanoseconds: UInt64, _ failure: String?) {
        tally.withLock { $0.record(nanoseconds, failure) }
    }

    static func sum(_ tallies: [SharedTally]) -> Tally {
        tallies.reduce(into: Tally()) { sum, shared in shared.tally.withLock { sum.add($0) } }
    }
}
