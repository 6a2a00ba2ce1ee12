import NetpollCore
import NetpollProtobuf
import NetpollRPC
import NetpollTesting
import TestProtos
import Testing

/// Callers that come at a rate, whatever becomes of them, to a server on a real socket whose one
/// thread takes a millisecond for a call.
///
/// Only time is made up: it goes by in milliseconds, each when all that the one before has caused
/// is done.
@Suite("Servers that get more than they can do", .timeLimit(.minutes(5)))
struct OverloadRateTests {
    /// What one stretch of time has seen.
    private struct Result {
        /// Calls that were answered while their callers still waited.
        var inTime = 0
        var late = 0
        /// How long refused calls waited for their refusal.
        var refusals: [Duration] = []
        var ended: Int { inTime + late + refusals.count }
    }

    private final class Load: Sendable {
        /// How long a caller has use for an answer; it waits longer, so that what the server has not
        /// answered is what it has.
        private static let patience = Duration.milliseconds(50)

        private let clock = ManualClock()
        private let pool: WorkerPool
        private let fixture: HandlerFixture
        private let echo: Echo_EchoClient
        private let turns: Parking
        private let (began, ended): (Counter, Counter)
        private let result = Locked(Result())
        /// Calls that were made, and of those that are still to come a part.
        private let made = Locked((count: 0, part: 0.0))

        init() throws {
            var poolOptions = WorkerPoolOptions()
            poolOptions.threadLimit = 1
            pool = WorkerPool(options: poolOptions)
            var options = RPCServerOptions()
            options.execution = .workers(pool)
            options.adaptiveLimit = AdaptiveLimit()
            let (turns, began, ended) = (Parking(), Counter(), Counter())
            (self.turns, self.began, self.ended) = (turns, began, ended)
            fixture = try HandlerFixture(options, clock: clock) { _, _ in
                began.increment()
                turns.waitForTurn()
                ended.increment()
                return ""
            }
            echo = try fixture.echo()
        }

        /// Lets calls come at a rate, and tells what ended meanwhile.
        func run(callsPerMillisecond: Double, milliseconds: Int) async throws -> Result {
            let before = result.withLock { $0.ended }
            result.withLock { $0 = Result() }
            made.withLock { $0.count -= before }
            for _ in 0..<milliseconds {
                let count = made.withLock { made in
                    made.part += callsPerMillisecond
                    let whole = Int(made.part)
                    made.part -= Double(whole)
                    made.count += whole
                    return whole
                }
                for _ in 0..<count { call() }
                try await comeToRest()
                await clock.advance(by: .milliseconds(1))
                if began.value > ended.value {
                    let before = ended.value
                    turns.admitOne()
                    try await eventually("the handler ends") { ended.value > before }
                }
                try await comeToRest()
            }
            return result.withLock { $0 }
        }

        private func call() {
            let start = clock.now().uptimeNanoseconds
            Task(executorPreference: fixture.loops.next()) { [self] in
                var isRefused = false
                do {
                    var options = CallOptions()
                    options.timeout = .seconds(60)
                    _ = try await echo.echo(.init(), options: options)
                } catch let error as RPCError where error.code == .resourceExhausted {
                    isRefused = true
                } catch {
                    Issue.record(error)
                }
                let time = Duration.nanoseconds(clock.now().uptimeNanoseconds - start)
                result.withLock { result in
                    if isRefused {
                        result.refusals.append(time)
                    } else if time <= Self.patience {
                        result.inTime += 1
                    } else {
                        result.late += 1
                    }
                }
            }
        }

        /// Waits until what was called has ended, or waits for the thread or its end.
        private func comeToRest() async throws {
            try await eventually("everybody waits") {
                let running = fixture.server.callCount
                return began.value == ended.value + min(1, running)
                    && result.withLock { $0.ended } + running == made.withLock { $0.count }
            }
        }

        func stop() async {
            // As many as the pool's queue has room for, and the one that runs.
            for _ in 0...1024 { turns.admitOne() }
            await fixture.finish(clock)
            await pool.shutdown()
        }
    }

    // Row C9.
    @Test("at ten times its peak a server does four fifths of it in time, and refuses at once")
    func tenfold() async throws {
        let load = try Load()
        do {
            try await tenfold(load)
        } catch {
            await load.stop()
            throw error
        }
        await load.stop()
    }

    private func tenfold(_ load: Load) async throws {
        // One call in a millisecond is the peak.
        let normal = try await load.run(callsPerMillisecond: 0.5, milliseconds: 200)
        #expect(normal.refusals.isEmpty && normal.late == 0)
        // It takes a while to find out that it is exceeded.
        _ = try await load.run(callsPerMillisecond: 10, milliseconds: 500)
        let overload = try await load.run(callsPerMillisecond: 10, milliseconds: 1000)
        print("C9: \(overload.inTime) of 1000 in time, \(overload.late) late")
        #expect(overload.inTime >= 800)
        let times = overload.refusals.sorted()
        try #require(times.count > 8000)
        let slowest = times[times.count * 99 / 100]
        print("C9: 99 % of the refusals within \(slowest)")
        #expect(slowest < .milliseconds(5))
        _ = try await load.run(callsPerMillisecond: 0.5, milliseconds: 1000)
        let after = try await load.run(callsPerMillisecond: 0.5, milliseconds: 200)
        #expect(after.refusals.isEmpty && after.late == 0 && after.inTime >= 99)
    }
}
