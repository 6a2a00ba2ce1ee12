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
    /// Calls are handed to the loops so often, in nanoseconds: a timer for each call would cost more
    /// than the call.
    private static let tick: UInt64 = 100_000

    private let load: Load
    private let loops: [EventLoop]
    private let gap: Double
    private let underWay = Atomic<Int>(0)
    /// Tasks that wait for a call to make, for each loop: to create a task costs as much as a call.
    private let callers: [Callers]
    private let overflowed = Atomic<Bool>(false)

    init(load: Load, loops: [EventLoop], callsPerSecond: Double) {
        self.load = load
        self.loops = loops
        gap = 1e9 / callsPerSecond
        callers = loops.map { _ in Callers() }
    }

    private final class Callers: Sendable {
        private let idle = Mutex<[UnsafeContinuation<UInt64?, Never>]>([])

        /// The time of the next call to make, or `nil` at the end.
        func next() async -> UInt64? {
            await withUnsafeContinuation { continuation in idle.withLock { $0.append(continuation) }
            }
        }

        func take() -> UnsafeContinuation<UInt64?, Never>? { idle.withLock { $0.popLast() } }
    }

    /// - Returns: The calls that were meant to begin between the two times.
    /// - Throws: ``BenchError`` if the calls pile up, or do not end within ten seconds.
    func run(from start: Deadline, until end: Deadline) async throws -> Tally {
        let tallies = loops.map { _ in SharedTally() }
        // A thread of its own keeps the time: an event loop's timers count milliseconds.
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [self] in
                pace(from: start, until: end, tallies)
                continuation.resume()
            }
        }
        defer {
            for callers in callers {
                while let caller = callers.take() { caller.resume(returning: nil) }
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
        return SharedTally.sum(tallies)
    }

    private func pace(from start: Deadline, until end: Deadline, _ tallies: [SharedTally]) {
        let begin = load_now()
        let last = end.uptimeNanoseconds
        var count = 0
        func time(_ number: Int) -> UInt64 { begin + UInt64(gap * Double(number)) }
        while time(count) < last, !overflowed.load(ordering: .relaxed) {
            let now = load_now()
            load_sleep_until(max(time(count), now - now % Self.tick + Self.tick))
            let reached = min(load_now(), last)
            var due = loops.map { _ in [UInt64]() }
            while time(count) <= reached {
                due[count % loops.count].append(time(count))
                count += 1
            }
            for (index, times) in due.enumerated() where !times.isEmpty {
                hand(times, start.uptimeNanoseconds, index, tallies[index])
            }
        }
    }

    private func hand(_ due: [UInt64], _ start: UInt64, _ index: Int, _ shared: SharedTally) {
        let count = underWay.wrappingAdd(due.count, ordering: .relaxed).newValue
        if count > Self.limit { overflowed.store(true, ordering: .relaxed) }
        let (loop, callers) = (loops[index], callers[index])
        loop.execute { [self] in
            for time in due {
                if let caller = callers.take() {
                    caller.resume(returning: time)
                } else {
                    Task(executorPreference: loop) {
                        await self.call(from: time, start, callers, shared)
                    }
                }
            }
        }
    }

    /// Makes one call after the other.
    private func call(
        from first: UInt64,
        _ start: UInt64,
        _ callers: Callers,
        _ shared: SharedTally
    ) async {
        var next: UInt64? = first
        while let time = next {
            let failure = await load.call()
            if time >= start {
                let now = Deadline.now().uptimeNanoseconds
                shared.record(now - time, failure)
            }
            underWay.wrappingSubtract(1, ordering: .releasing)
            next = await callers.next()
        }
    }
}
