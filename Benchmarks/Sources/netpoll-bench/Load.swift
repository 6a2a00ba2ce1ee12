import EchoService
import Histogram
import NetpollCore
import NetpollRPC
import Synchronization

/// One caller's work.
final class Load: Sendable {
    private let echo: Echo_EchoClient
    private let method: String
    private let request: Echo_EchoRequest
    /// Calls that have ended since the start, for the live line.
    let completed = Atomic<Int>(0)

    init(echo: Echo_EchoClient, method: String, size: Int) {
        self.echo = echo
        self.method = method
        request = .with {
            $0.action = "hi"
            $0.msg = String(repeating: "x", count: size)
        }
    }

    func checkMethod() throws {
        guard method == "echo" || method == "fail" || sleepMillis != nil else {
            throw RPCError(.invalidArgument, "--method is echo, fail or sleep:MILLISECONDS")
        }
    }

    private var sleepMillis: Int64? {
        method.hasPrefix("sleep:") ? Int64(method.dropFirst("sleep:".count)) : nil
    }

    /// Calls until the end; what ended before the start is warm-up and not counted.
    func run(from start: Deadline, until end: Deadline) async -> Tally {
        var tally = Tally()
        var before = Deadline.now()
        while before < end {
            let failure = await call()
            let after = Deadline.now()
            completed.wrappingAdd(1, ordering: .relaxed)
            if before >= start, after <= end {
                tally.record(after.uptimeNanoseconds - before.uptimeNanoseconds, failure)
            }
            before = after
        }
        return tally
    }

    /// Makes one call; returns the kind of its failure.
    private func call() async -> String? {
        do {
            if let sleepMillis {
                _ = try await echo.sleep(.with { $0.millis = sleepMillis })
            } else if method == "fail" {
                _ = try await echo.fail(request)
            } else {
                let reply = try await echo.echo(request)
                guard reply.msg.utf8.count == request.msg.utf8.count else { return "mismatch" }
            }
            return nil
        } catch let error as RPCError {
            return "\(error.code)"
        } catch {
            return "other"
        }
    }
}

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
