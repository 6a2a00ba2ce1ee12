import NetpollCore
import NetpollTesting

@testable import NetpollRPC

/// A server with one thread for its handlers on a virtual clock, and callers that come at any rate
/// whatever becomes of them; the decisions are those of the real `QueueDelayControl`.
struct OverloadSimulation {
    /// What one stretch of time has seen.
    struct Result {
        /// Calls that were answered while their callers still waited.
        var inTime = 0
        var late = 0
        var refused = 0
        /// How long refused calls waited for their refusal, in nanoseconds.
        var refusalTimes: [UInt64] = []
    }

    /// How long a handler runs: 1 ms.
    static let serviceTime: UInt64 = 1_000_000
    /// How long a refusal takes.
    static let refusalTime: UInt64 = 10_000
    /// How long a caller waits.
    static let patience: UInt64 = 50_000_000
    /// The most calls that wait, as a worker pool has it.
    static let queueLimit = 1024

    private var control: QueueDelayControl?
    private var random: SeededGenerator
    private var waiting: [UInt64] = []
    private var first = 0
    private var now: UInt64 = 1_000_000_000
    private var nextArrival: UInt64 = 1_000_000_000

    init(_ limit: AdaptiveLimit?, seed: UInt64) {
        control = limit.map {
            QueueDelayControl(
                target: $0.target.wholeNanoseconds,
                interval: $0.interval.wholeNanoseconds
            )
        }
        random = SeededGenerator(seed: seed)
    }

    /// Lets calls come at a rate for some seconds.
    mutating func run(callsPerSecond: Double, seconds: Double) -> Result {
        var result = Result()
        let end = now + UInt64(seconds * 1e9)
        while now < end {
            admit(callsPerSecond, &result)
            guard first < waiting.count else {
                now = nextArrival
                continue
            }
            let arrival = waiting[first]
            first += 1
            if first > 4096 {
                waiting.removeFirst(first)
                first = 0
            }
            if control?.admits(delay: now - arrival, now: now) ?? true {
                now += Self.serviceTime
                if now - arrival <= Self.patience { result.inTime += 1 } else { result.late += 1 }
            } else {
                now += Self.refusalTime
                refuse(arrival, &result)
            }
        }
        return result
    }

    private mutating func refuse(_ arrival: UInt64, _ result: inout Result) {
        result.refused += 1
        result.refusalTimes.append(now - arrival)
    }

    /// Takes in who has come until now; one that finds the queue full is refused at once.
    private mutating func admit(_ callsPerSecond: Double, _ result: inout Result) {
        while nextArrival <= now {
            if waiting.count - first < Self.queueLimit {
                waiting.append(nextArrival)
            } else {
                now += Self.refusalTime
                result.refused += 1
                result.refusalTimes.append(Self.refusalTime)
            }
            // Times between calls that do not depend on each other.
            let chance = Double.random(in: Double.leastNonzeroMagnitude..<1, using: &random)
            nextArrival += UInt64(-logarithm(chance) / callsPerSecond * 1e9)
        }
    }

    /// The natural logarithm of a number between 0 and 1, by its series.
    private func logarithm(_ value: Double) -> Double {
        let power = (value.significand - 1) / (value.significand + 1)
        var (sum, term) = (0.0, power)
        for divisor in stride(from: 1.0, through: 31, by: 2) {
            sum += term / divisor
            term *= power * power
        }
        return 2 * sum + Double(value.exponent) * 0.693_147_180_559_945_3
    }
}
