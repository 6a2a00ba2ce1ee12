import Foundation
import NetpollCore
import Synchronization
import c_load

/// Calls that begin at fixed times, however long earlier ones take.
///
/// Latency counts from the time a call was meant to begin. So a server that stands still for a second
/// shows it in all calls of that second, as their users would see it, and not in one for each caller.
final class OpenLoop: Sendable {
    /// More calls under way than this mean that the rate is beyond what client and server can do.
    private static let limit = 50_000

    private let load: Load
    private let loops: [EventLoop]
    private let gap: Double
    private let underWay = Atomic<Int>(0)
    private let overflowed = Atomic<Bool>(false)

    init(load: Load, loops: [EventLoop], callsPerSecond: Double) {
        self.load = load
        self.loops = loops
        gap = 1e9 / callsPerSecond * Double(loops.count)
    }

    /// - Returns: The calls that were meant to begin between the two times.
    /// - Throws: ``BenchError`` if the calls pile up, or do not end within ten seconds.
    func run(from start: Deadline, until end: Deadline) async throws -> Tally {
        let begin = Deadline.now()
        let tallies = loops.map { _ in SharedTally() }
        await withTaskGroup(of: Void.self) { pacers in
            for (index, loop) in loops.enumerated() {
                let first =
                    Double(begin.uptimeNanoseconds)
                    + gap * Double(index) / Double(loops.count)
                let shared = tallies[index]
                pacers.addTask { await self.pace(first, start, end, loop, shared) }
            }
        }
        let limit = end.advanced(by: .seconds(10))
        while underWay.load(ordering: .acquiring) > 0 {
            guard Deadline.now() < limit else { throw BenchError("calls did not end") }
            try await loops[0].sleep(until: .after(.milliseconds(10)))
        }
        guard !overflowed.load(ordering: .relaxed) else {
            throw BenchError("more than \(Self.limit) calls were under way: the rate is too high")
        }
        return tallies.reduce(into: Tally()) { sum, shared in shared.tally.withLock { sum.add($0) }
        }
    }

    /// A thread of its own keeps the time: an event loop's timers count milliseconds.
    private func pace(
        _ first: Double,
        _ start: Deadline,
        _ end: Deadline,
        _ loop: EventLoop,
        _ shared: SharedTally
    ) async {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [self] in
                var next = first
                let last = Double(end.uptimeNanoseconds)
                while next < last, !overflowed.load(ordering: .relaxed) {
                    load_sleep_until(UInt64(next))
                    let now = min(Double(Deadline.now().uptimeNanoseconds), last)
                    var due: [UInt64] = []
                    while next <= now {
                        due.append(UInt64(next))
                        next += gap
                    }
                    if due.isEmpty { continue }
                    begin(due, start, loop, shared)
                }
                continuation.resume()
            }
        }
    }

    private func begin(_ due: [UInt64], _ start: Deadline, _ loop: EventLoop, _ shared: SharedTally)
    {
        let count = underWay.wrappingAdd(due.count, ordering: .relaxed).newValue
        if count > Self.limit { overflowed.store(true, ordering: .relaxed) }
        loop.execute { [self] in
            for time in due {
                Task.immediateDetached(executorPreference: loop) { [self] in
                    let failure = await load.call()
                    let now = Deadline.now().uptimeNanoseconds
                    if time >= start.uptimeNanoseconds {
                        shared.tally.withLock { $0.record(now - time, failure) }
                    }
                    underWay.wrappingSubtract(1, ordering: .releasing)
                }
            }
        }
    }
}

private final class SharedTally: Sendable {
    let tally = Mutex(Tally())
}
