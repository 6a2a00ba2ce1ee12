import EchoService
import NetpollCore
import NetpollRPC
import Synchronization

/// The calls that a load makes.
final class Load: Sendable {
    private let echo: Echo_EchoClient
    private let method: Method
    private let request: Echo_EchoRequest
    /// Calls that have ended since the start, for the live line.
    let completed = Atomic<Int>(0)
    /// Calls that ended as they should not, the warm-up included.
    let failed = Atomic<Int>(0)

    enum Method: Equatable {
        case echo, fail
        case sleep(milliseconds: Int64)

        init?(_ text: String) {
            switch text {
            case "echo": self = .echo
            case "fail": self = .fail
            default:
                guard text.hasPrefix("sleep:"), let millis = Int64(text.dropFirst(6)) else {
                    return nil
                }
                self = .sleep(milliseconds: millis)
            }
        }
    }

    init(echo: Echo_EchoClient, method: Method, size: Int) {
        self.echo = echo
        self.method = method
        request = .with {
            $0.action = "hi"
            $0.msg = String(repeating: "x", count: size)
        }
    }

    /// One caller of a closed loop: makes its next call when the last one has ended, and records
    /// those that began and ended between the two times.
    func run(from start: Deadline, until end: Deadline, _ tally: SharedTally) async {
        var before = Deadline.now()
        while before < end {
            let failure = await call()
            let after = Deadline.now()
            if before >= start, after <= end {
                tally.record(after.uptimeNanoseconds - before.uptimeNanoseconds, failure)
            }
            before = after
        }
    }

    /// Makes one call.
    ///
    /// - Returns: The kind of its failure.
    func call() async -> String? {
        let failure = await failure()
        completed.wrappingAdd(1, ordering: .relaxed)
        let isExpected = method == .fail ? failure == "internalError" : failure == nil
        if !isExpected { failed.wrappingAdd(1, ordering: .relaxed) }
        return failure
    }

    private func failure() async -> String? {
        do {
            switch method {
            case .sleep(let millis):
                _ = try await echo.sleep(.with { $0.millis = millis })
            case .fail:
                _ = try await echo.fail(request)
            case .echo:
                let reply = try await echo.echo(request)
                guard reply.msg == request.msg else { return "mismatch" }
            }
            return nil
        } catch let error as RPCError {
            return "\(error.code)"
        } catch {
            return "other"
        }
    }
}
