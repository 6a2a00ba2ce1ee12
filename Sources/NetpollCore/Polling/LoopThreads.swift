internal import CNetpoll
internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// The threads of a group's loops: one for each loop, more while some are stuck in jobs, and a
/// watchdog that notices them.
///
/// A job that holds its thread for longer than a threshold, because it blocks or computes, keeps
/// the thread but loses the loop: a spare thread goes on with the loop's other work. The stuck
/// thread joins the spare ones when its job ends.
final class LoopThreads: @unchecked Sendable {
    // @unchecked: `watched` is touched by the watchdog's thread only, after `start()`.

    private struct State {
        var spare: [LoopThread] = []
        /// Threads that drive a loop, are stuck or wait; the watchdog is not counted.
        var count = 0
        var takeOvers = 0
        var hasEnded = false
    }

    /// What the watchdog saw of a loop.
    private struct Watched {
        let loop: EventLoop
        var loan = LoopOwnership.first
        var since = Deadline.distantFuture
        /// The CPU time of the loop's thread then.
        var cpuTime: UInt64 = 0

        /// Whether the job has had the loop for too long.
        ///
        /// One that computes may keep it for the whole threshold, one that waits for half of it. One
        /// whose thread only waits for a processor keeps it: another thread would wait too.
        func isStuck(_ now: Deadline, _ threshold: Duration) -> Bool {
            guard since.advanced(by: threshold / 2) <= now else { return false }
            let thread = loop.driver.load(ordering: .relaxed)
            if cnetpoll_thread_is_runnable(thread) == 0 { return true }
            guard since.advanced(by: threshold) <= now else { return false }
            let used = cnetpoll_thread_cpu_time(thread).subtractingReportingOverflow(cpuTime)
            return used.overflow || used.partialValue >= UInt64(threshold.wholeNanoseconds)
        }
    }

    private let threshold: Duration?
    private let limit: Int
    private let state = Locked(State())
    private var watched: [Watched] = []

    private let parker = Parker()
    /// The watchdog sleeps until somebody runs a job.
    private let isResting = Atomic<Bool>(false)
    private let hasEnded = Atomic<Bool>(false)

    /// The longest time between two looks at busy loops, and the time without jobs after which the
    /// watchdog rests.
    private static let longestInterval: Duration = .milliseconds(1)
    private static let restAfter: Duration = .milliseconds(50)
    /// How long the watchdog looks often after a take-over.
    private static let alertTime: Duration = .seconds(1)
    /// A spare thread that is not needed for so long ends.
    private static let spareTimeout: Duration = .seconds(10)

    init(threshold: Duration?, limit: Int) {
        self.threshold = threshold
        self.limit = limit
    }

    /// Starts the threads of some loops and the watchdog.
    func start(_ loops: [EventLoop]) throws(NetpollError) {
        for loop in loops {
            try LoopThread.start(loop, LoopOwnership.first)
            state.withLock { $0.count += 1 }
        }
        guard threshold != nil else { return }
        watched = loops.map { Watched(loop: $0) }
        try SystemThread.start { self.watch() }
    }

    /// Lets spare threads and the watchdog go; called once the loops have ended.
    func end() {
        let spare = state.withLock { state in
            state.hasEnded = true
            defer { state.spare = [] }
            return state.spare
        }
        for thread in spare { thread.parker.unpark() }
        hasEnded.store(true, ordering: .releasing)
        parker.unpark()
    }

    /// How many times a loop was taken over, and how many threads there are.
    var statistics: (takeOvers: Int, threadCount: Int) {
        state.withLock { ($0.takeOvers, $0.count) }
    }

    /// A job begins: the watchdog must look, if it rests.
    @inline(__always)
    func jobWillBegin() {
        guard isResting.load(ordering: .relaxed) else { return }
        if isResting.exchange(false, ordering: .relaxed) { parker.unpark() }
    }
}

// MARK: - Spare threads

extension LoopThreads {
    /// Waits for another loop to drive; leaves `assignment` empty when the thread shall end.
    func waitForAssignment(_ thread: LoopThread) {
        let mayWait = state.withLock { state in
            guard !state.hasEnded else {
                state.count -= 1
                return false
            }
            state.spare.append(thread)
            return true
        }
        guard mayWait else { return }
        while !thread.parker.park(for: Self.spareTimeout) {
            let isUnneeded = state.withLock { state in
                guard let index = state.spare.firstIndex(where: { $0 === thread }) else {
                    // Chosen or let go in this moment: the wake-up is on its way.
                    return false
                }
                state.spare.remove(at: index)
                state.count -= 1
                return true
            }
            if isUnneeded { return }
        }
        if thread.assignment == nil { state.withLock { $0.count -= 1 } }
    }

    /// Gives a loop that was taken over to a spare thread, or to a new one within the limit.
    private func assign(_ loop: EventLoop, _ loan: LoopOwnership.Loan) {
        let spare = state.withLock { state in
            state.takeOvers += 1
            return state.spare.popLast()
        }
        if let spare {
            spare.assignment = (loop, loan)
            spare.parker.unpark()
            return
        }
        state.withLock { $0.count += 1 }
        while true {
            // Nobody drives the loop now, so it must get a thread: memory may come back.
            do throws(NetpollError) {
                return try LoopThread.start(loop, loan)
            } catch {
                usleep(1000)
            }
        }
    }

    private var canAssign: Bool {
        state.withLock { !$0.hasEnded && (!$0.spare.isEmpty || $0.count < limit) }
    }
}

// MARK: - The watchdog

extension LoopThreads {
    private func watch() {
        guard let threshold else { return }
        let shortest = threshold / 2
        let longest = max(shortest, Self.longestInterval)
        var lastTakeOver: Deadline?
        var lastJob = Deadline.now()
        while !hasEnded.load(ordering: .acquiring) {
            // Where one job blocks, others do: look often for a while.
            let isAlert = lastTakeOver.map { $0.advanced(by: Self.alertTime) > lastJob } ?? false
            let interval = isAlert ? shortest : longest
            usleep(UInt32(clamping: interval.wholeNanoseconds / 1000))
            let now = Deadline.now()
            switch look(now, threshold) {
            case .takeOver:
                lastTakeOver = now
                lastJob = now
            case .jobs: lastJob = now
            case .nothing: if lastJob.advanced(by: Self.restAfter) < now { rest() }
            }
        }
        watched = []
    }

    private enum Sign {
        case takeOver, jobs, nothing
    }

    private func look(_ now: Deadline, _ threshold: Duration) -> Sign {
        var sign = Sign.nothing
        for index in watched.indices {
            let loan = watched[index].loop.ownership.current
            guard loan == watched[index].loan else {
                watched[index].loan = loan
                watched[index].since = now
                watched[index].cpuTime = cnetpoll_thread_cpu_time(
                    watched[index].loop.driver.load(ordering: .relaxed)
                )
                if sign == .nothing { sign = .jobs }
                continue
            }
            guard loan.isLent else { continue }
            if sign == .nothing { sign = .jobs }
            guard canAssign, watched[index].isStuck(now, threshold),
                let next = watched[index].loop.ownership.takeOver(loan)
            else { continue }
            assign(watched[index].loop, next)
            sign = .takeOver
        }
        return sign
    }

    /// Sleeps until a job begins; a job that begins in this very moment is noticed late, but it is:
    /// a resting watchdog still looks now and then.
    private func rest() {
        isResting.store(true, ordering: .relaxed)
        parker.park(for: .milliseconds(100))
        isResting.store(false, ordering: .relaxed)
    }
}
