#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// Threads for work that blocks or computes for long, so that event loops need not do it.
///
/// Threads start when there is work for them, up to a limit, and end after 10 s without any. Work
/// beyond the limit waits in order in a queue with a bound of its own.
///
/// As a `TaskExecutor` the pool runs the tasks that prefer it. A task that has begun always goes
/// on, so the queue's bound holds for what ``run(_:)`` admits and not for tasks that were started
/// with the pool as their preference. Any thread.
public final class WorkerPool: TaskExecutor {
    private struct State {
        var queue = Queue()
        /// Calls of `run` that have not begun.
        var admitted = 0
        var idle: [Parker] = []
        var threadCount = 0
        var isShutDown = false
        /// Calls of `run` that were admitted and have not returned.
        var running = 0
        /// Those who wait for the end.
        var shutdowns: [Waiter<Void>] = []

        /// Those to tell if everything has ended.
        mutating func takeShutdowns() -> [Waiter<Void>] {
            guard isShutDown, running == 0, threadCount == 0 else { return [] }
            defer { shutdowns = [] }
            return shutdowns
        }
    }

    /// The options the pool was made with.
    public let options: WorkerPoolOptions
    private let state = Locked(State())

    private static let idleTimeout: Duration = .seconds(10)

    /// Creates a pool without threads.
    public init(options: WorkerPoolOptions = WorkerPoolOptions()) { self.options = options }

    /// What the pool does now.
    public var statistics: WorkerPoolStatistics {
        state.withLock { state in
            WorkerPoolStatistics(
                threadCount: state.threadCount,
                idleThreadCount: state.idle.count,
                queuedCount: state.queue.count
            )
        }
    }

    /// Runs work on one of the pool's threads.
    ///
    /// - Parameter body: The work; it may block. Cancelling the calling task cancels the body's.
    /// - Returns: What `body` returns.
    /// - Throws: ``NetpollError``: `limitExceeded` at once when ``WorkerPoolOptions/queueLimit``
    ///   calls wait already, `shutdown` after ``shutdown()``; else what `body` throws.
    public func run<R: Sendable>(
        _ body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try admit()
        defer { didReturn() }
        return try await withTaskExecutorPreference(self) {
            state.withLock { $0.admitted -= 1 }
            return try await body()
        }
    }

    /// Starts a task whose body begins on one of the pool's threads, with the caller's task-local
    /// values, and counts it as ``run(_:)`` does.
    ///
    /// - Throws: As ``run(_:)``; then `body` is not called.
    package func start(
        _ body: @escaping @Sendable () async -> Void
    ) throws(NetpollError) -> Task<Void, Never> {
        try admit()
        return Task(executorPreference: self) {
            self.state.withLock { $0.admitted -= 1 }
            await body()
            self.didReturn()
        }
    }

    private func didReturn() {
        let ended = state.withLock { state in
            state.running -= 1
            return state.takeShutdowns()
        }
        end(ended)
    }

    private func admit() throws(NetpollError) {
        let refusal = state.withLock { state -> NetpollError? in
            if state.isShutDown { return NetpollError(.shutdown, "the worker pool is shut down") }
            guard state.admitted < options.queueLimit else {
                let message = "\(state.admitted) calls wait for a worker"
                return NetpollError(.limitExceeded, message)
            }
            state.admitted += 1
            state.running += 1
            return nil
        }
        if let refusal { throw refusal }
    }

    private func end(_ shutdowns: [Waiter<Void>]) {
        for waiter in shutdowns { waiter.finish(.success(())) }
    }

    /// Runs a job of a task.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let (parker, startsThread) = state.withLock { state -> (Parker?, Bool) in
            state.queue.append(job)
            if let parker = state.idle.popLast() { return (parker, false) }
            guard state.threadCount < max(1, options.threadLimit) else { return (nil, false) }
            state.threadCount += 1
            return (nil, true)
        }
        parker?.unpark()
        if startsThread { startThread() }
    }

    /// Refuses new work, and returns once every call of ``run(_:)`` that was admitted before has
    /// returned and the threads have ended.
    ///
    /// Any number of calls; not from inside ``run(_:)``, which it would wait for.
    public func shutdown() async {
        let waiter = Waiter<Void>()
        let (idle, ended) = state.withLock { state in
            state.isShutDown = true
            state.shutdowns.append(waiter)
            defer { state.idle = [] }
            return (state.idle, state.takeShutdowns())
        }
        for parker in idle { parker.unpark() }
        end(ended)
        try? await waiter.wait(begin: {}, onCancel: {})
    }
}

// MARK: - Threads

extension WorkerPool {
    private func startThread() {
        do throws(NetpollError) {
            try SystemThread.start { self.work() }
        } catch {
            threadCouldNotStart()
        }
    }

    /// The system has no thread left: other workers take the jobs, or else the default pool does.
    private func threadCouldNotStart() {
        let (orphans, ended) = state.withLock { state -> ([UnownedJob], [Waiter<Void>]) in
            state.threadCount -= 1
            guard state.threadCount == 0 else { return ([], []) }
            return (state.queue.removeAll(), state.takeShutdowns())
        }
        end(ended)
        for orphan in orphans { globalConcurrentExecutor.enqueue(ExecutorJob(orphan)) }
    }

    private enum Next {
        case job(UnownedJob)
        case sleep
        case end
    }

    private func work() {
        let parker = Parker()
        while true {
            switch next(parker) {
            case .job(let job): job.runSynchronously(on: asUnownedTaskExecutor())
            case .sleep:
                // One that was chosen in this moment takes its wake-up, or would have two later.
                while !parker.park(for: Self.idleTimeout) { if leave(parker) { return } }
            case .end: return
            }
        }
    }

    private func next(_ parker: Parker) -> Next {
        let (next, ended) = state.withLock { state -> (Next, [Waiter<Void>]) in
            if let job = state.queue.popFirst() { return (.job(job), []) }
            guard state.isShutDown else {
                state.idle.append(parker)
                return (.sleep, [])
            }
            state.threadCount -= 1
            return (.end, state.takeShutdowns())
        }
        end(ended)
        return next
    }

    /// Ends a thread that has slept for long.
    ///
    /// - Returns: False if somebody has just woken it.
    private func leave(_ parker: Parker) -> Bool {
        state.withLock { state in
            guard let index = state.idle.firstIndex(where: { $0 === parker }) else { return false }
            state.idle.remove(at: index)
            state.threadCount -= 1
            return true
        }
    }
}

extension WorkerPool {
    /// Jobs in the order they came.
    private struct Queue {
        private var jobs: [UnownedJob] = []
        private var head = 0

        var count: Int { jobs.count - head }

        mutating func append(_ job: UnownedJob) { jobs.append(job) }

        mutating func removeAll() -> [UnownedJob] {
            defer {
                jobs = []
                head = 0
            }
            return Array(jobs[head...])
        }

        mutating func popFirst() -> UnownedJob? {
            guard head < jobs.count else { return nil }
            defer {
                head += 1
                if head == jobs.count {
                    jobs.removeAll(keepingCapacity: true)
                    head = 0
                } else if head > 1024, head * 2 > jobs.count {
                    jobs.removeFirst(head)
                    head = 0
                }
            }
            return jobs[head]
        }
    }
}

/// The bounds of a worker pool.
public struct WorkerPoolOptions: Sendable {
    /// Most threads.
    ///
    /// Default 64.
    public var threadLimit = 64
    /// Most calls of ``WorkerPool/run(_:)`` that may wait for a thread; one more fails with
    /// `limitExceeded`.
    ///
    /// Default 1024.
    public var queueLimit = 1024

    /// Creates the defaults.
    public init() {}
}

/// What a worker pool does at one moment.
public struct WorkerPoolStatistics: Sendable, Hashable {
    /// Threads that work or wait for work.
    public let threadCount: Int
    /// Threads that wait for work.
    public let idleThreadCount: Int
    /// Jobs that wait for a thread.
    public let queuedCount: Int
}
