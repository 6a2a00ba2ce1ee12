internal import CNetpoll
internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// Work that a loop runs in its run phase, without an allocation for each time.
package protocol LoopRunnable: AnyObject, Sendable {
    func runOnLoop()
}

/// One thread that waits for descriptors, fires timers and runs tasks.
///
/// A turn of the loop: wait for readiness, tell the owners of ready descriptors, fire timers, run
/// what is queued, then let every connection that was written to flush once. Handlers run in the
/// run phase, never inside event dispatch, so they see whole state.
///
/// Everything that is not marked as callable from any thread is confined to the inside of the
/// loop: event dispatch, timers and closures given to ``execute(_:)``. As a `TaskExecutor` the loop
/// runs the tasks that prefer it; continuations that it resumes for them come back without leaving
/// the thread. The jobs of tasks run outside: a job that holds its thread for too long loses the
/// loop to another thread (see ``EventLoopGroupOptions/takeOverThreshold``) and goes on beside it.
public final class EventLoop: TaskExecutor, @unchecked Sendable {
    // @unchecked: everything below `Confined to the loop` is touched only by a thread that is
    // inside the loop, which `ownership` grants and `assertInside()` checks; the rest is constant
    // or guarded by `remote`.

    private enum Work {
        case job(UnownedJob)
        case runnable(any LoopRunnable)
        case call(@Sendable () -> Void)
    }

    private enum Resumed {
        /// Its job is queued as any other.
        case queued
        case awaited
        case job(UnownedJob)
    }

    private struct Remote {
        var work: [Work] = []
        /// The thread is in the kernel, or about to be, and must be woken for new work.
        var isWaiting = false
        var stopRequested = false
        var hasEnded = false
        var endCallbacks: [@Sendable () -> Void] = []
    }

    private let poller: Poller
    private let remote = Locked(Remote())

    // Confined to the loop. What every turn and every event accesses is not checked for exclusivity:
    // no call that has one of them in hand calls code that could reach it again.
    @exclusivity(unchecked) private var registrations = RegistrationTable()
    @exclusivity(unchecked) private var timers = TimerQueue<LoopTimer>()
    @exclusivity(unchecked) private var queued: [Work] = []
    @exclusivity(unchecked) private var running: [Work] = []
    /// What a task that is resumed in this moment runs next, if it is to run at once.
    @exclusivity(unchecked) private var resumed = Resumed.queued
    /// How much of `running` has been started: whoever takes the loop over goes on there.
    private var startedCount = 0
    @exclusivity(unchecked) private var touched: [any LoopRunnable] = []
    /// What was touched and is being flushed.
    private var flushing: [any LoopRunnable] = []
    private var stopRequested = false
    /// Nothing that is queued from now on would run.
    private var hasEnded = false
    /// The first time that a wait ended without an event, if nothing has happened since.
    private var lastWork: Deadline?

    /// The number of this loop in its group.
    public let index: Int

    /// How many descriptors the loop watches.
    private let watchedCount = Atomic<Int>(0)
    /// How many were accepted for it that it has not begun to watch.
    private let expectedCount = Atomic<Int>(0)
    let ownership = LoopOwnership()
    /// The system's number of the thread that drives the loop, or 0.
    let driver = Atomic<Int32>(0)
    /// What the unread bytes of all connections of the group may take together.
    let inputBudget: ByteBudget
    let threads: LoopThreads
    private let clock: (any LoopClock)?
    /// Asked first, because to look at `clock` is to count a reference.
    private let hasClock: Bool
    /// What goes wrong between the loop's sockets and the kernel, in tests.
    let faults: (any SystemCallFaults)?
    /// How long nothing happens before the thread's cached blocks are given back.
    private let trimDelay: Duration
    private let trimMilliseconds: Int32

    /// Creates a loop, which turns once ``LoopThreads/start(_:)`` gives it a thread.
    ///
    /// - Throws: ``NetpollError`` when the system has no descriptors left.
    init(
        index: Int,
        threads: LoopThreads,
        inputBudget: ByteBudget,
        options: EventLoopGroupOptions
    ) throws(NetpollError) {
        self.index = index
        self.threads = threads
        self.inputBudget = inputBudget
        clock = options.clock
        hasClock = options.clock != nil
        faults = options.faults
        trimDelay = options.trimDelay
        trimMilliseconds = Int32(clamping: options.trimDelay.wholeMilliseconds)
        poller = try Poller.make()
    }

    /// Whether the caller runs on this loop: inside it, or in a job that has not lost it.
    ///
    /// Any thread. Only a hint for a job, which may lose the loop in the next moment.
    public var isCurrent: Bool { LoopThread.withCurrent { $0.drives(self) } }

    package func assertInside() {
        assert(
            LoopThread.withCurrent { $0.isInside(self) },
            "loop-confined state is touched inside the loop only"
        )
    }

    /// The present, by the group's clock.
    ///
    /// Any thread.
    public func now() -> Deadline {
        guard hasClock, let clock else { return .now() }
        return clock.now()
    }

    /// The point that lies `timeout` after now, by the group's clock.
    ///
    /// Any thread.
    public func deadline(after timeout: Duration) -> Deadline { now().advanced(by: timeout) }

    /// Calls `body` inside the loop at once if the caller runs on it.
    ///
    /// - Returns: False, and nothing was called, on another thread.
    package func ifInside(_ body: () -> Void) -> Bool {
        LoopThread.withCurrent { thread in
            guard thread.enter(self) else { return false }
            body()
            thread.leave(self)
            return true
        }
    }
}

// MARK: - Work

extension EventLoop {
    /// Runs a job of a Swift task on the loop.
    ///
    /// Any thread.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        guard submit(.job(job)) else {
            // The loop has ended. The task must still finish, so it gets the default pool.
            globalConcurrentExecutor.enqueue(ExecutorJob(job))
            return
        }
    }

    /// Runs a closure on the loop in its next run phase.
    ///
    /// Any thread.
    ///
    /// - Returns: Whether it will run; false after the loop has ended.
    @discardableResult
    public func execute(_ body: @escaping @Sendable () -> Void) -> Bool { submit(.call(body)) }

    /// Queues work on the loop in its next run phase.
    ///
    /// Any thread.
    @discardableResult
    package func run(_ runnable: any LoopRunnable) -> Bool { submit(.runnable(runnable)) }

    /// Runs a closure inside the loop: at once if the caller runs on it, else in its next run phase.
    ///
    /// Any thread.
    @discardableResult
    package func perform(_ body: @escaping @Sendable () -> Void) -> Bool {
        ifInside(body) || execute(body)
    }

    /// Runs code that may block or take long, with the loop lent out.
    ///
    /// From ``LoopRunnable/runOnLoop()`` only.
    ///
    /// - Returns: False if the loop was taken over meanwhile. The caller is not inside it any more
    ///   and must return.
    package func lend(to job: () -> Void) -> Bool {
        threads.jobWillBegin()
        return LoopThread.withCurrent { $0.lend(self, to: job) }
    }

    /// Starts or resumes a task that prefers this loop, and runs it until it waits, with the loop lent
    /// out.
    ///
    /// From ``LoopRunnable/runOnLoop()`` only.
    ///
    /// - Parameter resume: Starts or resumes one task and does nothing else.
    /// - Returns: False if the loop was taken over meanwhile. The caller is not inside it any more
    ///   and must return.
    package func lendToTask(_ resume: () -> Void) -> Bool {
        resumed = .awaited
        resume()
        let result = resumed
        // Before the loop is lent out: afterwards it may be another thread's.
        resumed = .queued
        // A task that is only about to wait goes on in its own thread.
        guard case .job(let job) = result else { return true }
        return lend { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    /// The job that has the loop goes on with other work, as another job would.
    ///
    /// Inside the loop, from a job's task.
    package func nextJobBegins() {
        threads.jobWillBegin()
        _ = LoopThread.withCurrent { $0.renewLoan(of: self) }
    }

    /// Calls `runnable` once at the end of the current turn.
    ///
    /// Loop only; the caller asks once a turn.
    package func runAtEndOfTurn(_ runnable: any LoopRunnable) {
        assertInside()
        touched.append(runnable)
    }

    private func submit(_ work: Work) -> Bool {
        var isQueued = false
        let isInside = ifInside {
            guard !hasEnded else { return }
            isQueued = true
            if case .awaited = resumed, case .job(let job) = work {
                resumed = .job(job)
            } else {
                queued.append(work)
            }
        }
        if isInside { return isQueued }
        let (accepted, wake) = remote.withLock { remote in
            guard !remote.hasEnded else { return (false, false) }
            remote.work.append(work)
            let wake = remote.isWaiting
            remote.isWaiting = false
            return (true, wake)
        }
        if wake { poller.wake() }
        return accepted
    }

    /// Asks the loop to end after its current turn.
    ///
    /// Any thread; the second call does nothing.
    func stop(whenEnded callback: @escaping @Sendable () -> Void) {
        let (ended, wake) = remote.withLock { remote in
            if remote.hasEnded { return (true, false) }
            remote.stopRequested = true
            remote.endCallbacks.append(callback)
            let wake = remote.isWaiting
            remote.isWaiting = false
            return (false, wake)
        }
        if ended { callback() }
        if wake { poller.wake() }
    }
}

// MARK: - Timers

extension EventLoop {
    /// Calls `body` on the loop at `deadline` or shortly after.
    ///
    /// Loop only.
    ///
    /// - Parameters:
    ///   - deadline: When.
    ///   - body: What to do.
    ///   - atEnd: What to do instead if the loop ends before.
    /// - Returns: What ``cancel(_:)`` takes.
    package func schedule(
        at deadline: Deadline,
        _ body: @escaping @Sendable () -> Void,
        atEnd: (@Sendable () -> Void)? = nil
    ) -> TimerToken {
        assertInside()
        return timers.add(deadline, LoopTimer(body: body, atEnd: atEnd))
    }

    /// The number of timers that are set.
    ///
    /// Any thread; asks the loop.
    package func timerCount() async -> Int {
        let waiter = Waiter<Int>()
        guard execute({ waiter.finish(.success(self.timers.count)) }) else { return 0 }
        return (try? await waiter.wait(begin: {}, onCancel: {})) ?? 0
    }

    /// Cancels a timer; does nothing if it has fired.
    ///
    /// Loop only.
    package func cancel(_ token: TimerToken) {
        assertInside()
        timers.cancel(token)
    }

    /// Suspends the calling task until a deadline, or throws when it is cancelled or the
    /// loop has ended.
    ///
    /// Any thread.
    ///
    /// - Throws: `CancellationError`.
    public func sleep(until deadline: Deadline) async throws {
        let waiter = Waiter<Void>()
        do throws(NetpollError) {
            // At the loop's end the wait fails with `shutdown`.
            try await waiter.wait(
                until: deadline,
                on: self,
                late: .success(()),
                begin: {},
                onCancel: { waiter.finish(.failure(NetpollError(.cancelled, "sleep"))) }
            )
        } catch {
            throw CancellationError()
        }
    }
}

// MARK: - Descriptors

extension EventLoop {
    /// How many descriptors the loop watches, or soon will.
    ///
    /// Any thread.
    var load: Int {
        watchedCount.load(ordering: .relaxed) + expectedCount.load(ordering: .relaxed)
    }

    /// Calls `body`, which begins to watch one descriptor, as ``perform(_:)`` would; the descriptor
    /// counts as watched from now on, or a loop in another thread would seem idle and get them all.
    ///
    /// Any thread.
    func expect(_ body: @escaping @Sendable () -> Void) -> Bool {
        expectedCount.wrappingAdd(1, ordering: .relaxed)
        let isAccepted = perform {
            body()
            self.expectedCount.wrappingSubtract(1, ordering: .relaxed)
        }
        if !isAccepted { expectedCount.wrappingSubtract(1, ordering: .relaxed) }
        return isAccepted
    }

    /// Starts to watch a descriptor.
    ///
    /// Loop only.
    func register(
        _ fileDescriptor: Int32,
        _ interest: Interest,
        _ handler: any ReadinessHandler
    ) throws(NetpollError) -> RegistrationToken {
        assertInside()
        guard !hasEnded else { throw NetpollError(.shutdown, "the event loop has ended") }
        let token = registrations.add(fileDescriptor, handler)
        watchedCount.store(registrations.count, ordering: .relaxed)
        if let number = poller.add(fileDescriptor, interest, token) {
            _ = registrations.remove(token)
            throw SystemError.make(number, "epoll_ctl")
        }
        return token
    }

    /// Has a handler that watches by itself told when the loop ends.
    ///
    /// Loop only; ended by ``deregister(_:)``.
    func adopt(_ handler: any ReadinessHandler) throws(NetpollError) -> RegistrationToken {
        assertInside()
        guard !hasEnded else { throw NetpollError(.shutdown, "the event loop has ended") }
        defer { watchedCount.store(registrations.count, ordering: .relaxed) }
        return registrations.add(-1, handler)
    }

    /// Changes what a descriptor is watched for.
    ///
    /// Loop only; a stale token changes nothing.
    func setInterest(_ interest: Interest, of token: RegistrationToken) {
        assertInside()
        guard let fileDescriptor = registrations.fileDescriptor(for: token), fileDescriptor >= 0
        else { return }
        let failure = poller.modify(fileDescriptor, interest, token)
        assert(failure == nil, "a registered descriptor can be modified")
    }

    /// Stops watching a descriptor.
    ///
    /// Loop only; a stale token changes nothing.
    func deregister(_ token: RegistrationToken) {
        assertInside()
        // Let go of outside the table, because that may run code of users.
        guard let slot = registrations.remove(token) else { return }
        watchedCount.store(registrations.count, ordering: .relaxed)
        if slot.fileDescriptor >= 0 { poller.remove(slot.fileDescriptor) }
    }
}

// MARK: - The thread

extension EventLoop {
    /// Turns until the loop ends or is taken over.
    ///
    /// Begins in the run phase: for a new loop there is nothing to run, and one that was taken over
    /// was left there.
    func runTurns(on thread: LoopThread) {
        while true {
            guard runQueuedWork(on: thread) else { return }
            flushTouched()
            if stopRequested, end() { return }
            stopRequested = waitForEvents()
            fireTimers()
        }
    }

    /// Waits no longer than queued work and timers allow.
    ///
    /// - Returns: Whether to stop.
    private func waitForEvents() -> Bool {
        let hasWork = !queued.isEmpty
        let mayWait = remote.withLock { remote in
            remote.isWaiting = !hasWork && remote.work.isEmpty && !remote.stopRequested
            return remote.isWaiting
        }
        let isIdle = poller.wait(timeoutMilliseconds: mayWait ? timeoutMilliseconds() : 0) {
            registrations.handler(for: $0)?.handle($1)
        }
        if mayWait, isIdle { trimIfIdle() } else { lastWork = nil }
        return remote.withLock { remote in
            remote.isWaiting = false
            if queued.isEmpty {
                swap(&queued, &remote.work)
            } else {
                queued.append(contentsOf: remote.work)
                remote.work.removeAll(keepingCapacity: true)
            }
            return remote.stopRequested
        }
    }

    /// Gives the thread's cached blocks back after some time in which nothing happened.
    private func trimIfIdle() {
        guard let cache = BufferCache.current, cache.statistics.cachedByteCount > 0 else { return }
        let now = Deadline.now()
        guard let lastWork else {
            self.lastWork = now
            return
        }
        if lastWork.advanced(by: trimDelay) <= now { cache.trim() }
    }

    /// No longer than it takes to notice that the loop is idle, while that makes a difference.
    private func timeoutMilliseconds() -> Int32 {
        let isTrimmed = BufferCache.current?.statistics.cachedByteCount ?? 0 == 0
        let longest: Int32 = isTrimmed ? -1 : trimMilliseconds
        let timer = timerMilliseconds()
        return timer < 0 ? longest : longest < 0 ? timer : min(timer, longest)
    }

    /// Rounded up, so that a timer never wakes the loop before its time; -1 without a timer.
    private func timerMilliseconds() -> Int32 {
        guard let earliest = timers.earliest else { return -1 }
        if let clock { return earliest <= clock.now() ? 0 : -1 }
        let now = Deadline.now().uptimeNanoseconds
        guard earliest.uptimeNanoseconds > now else { return 0 }
        return Int32(clamping: (earliest.uptimeNanoseconds - now - 1) / 1_000_000 + 1)
    }

    private func fireTimers() {
        guard timers.count > 0 else { return }
        let now = now()
        while let timer = timers.takeExpired(now) { timer.body() }
    }

    /// Runs what was queued when the phase began; what that work queues runs in the next turn, so
    /// work that queues itself cannot starve descriptors and timers.
    ///
    /// - Returns: False if the loop was taken over.
    private func runQueuedWork(on thread: LoopThread) -> Bool {
        if running.isEmpty { swap(&queued, &running) }
        while startedCount < running.count {
            let work = running[startedCount]
            startedCount += 1
            switch work {
            case .job(let job):
                threads.jobWillBegin()
                let isOurs = thread.lend(self) {
                    job.runSynchronously(on: asUnownedTaskExecutor())
                }
                guard isOurs else { return false }
            case .runnable(let runnable):
                runnable.runOnLoop()
                guard thread.isInside(self) else { return false }
            case .call(let body):
                body()
            }
        }
        startedCount = 0
        running.removeAll(keepingCapacity: true)
        return true
    }

    private func flushTouched() {
        while !touched.isEmpty {
            swap(&touched, &flushing)
            for runnable in flushing { runnable.runOnLoop() }
            // What is let go of here may run code of users, which may touch others.
            flushing.removeAll(keepingCapacity: true)
        }
    }

    /// Ends the loop if nothing is left to run.
    ///
    /// Who still has a descriptor here is told first, and so is who waits for a time: either may
    /// queue more work.
    private func end() -> Bool {
        for handler in registrations.handlers { handler.loopWillEnd() }
        while let timer = timers.takeExpired(.distantFuture) { timer.atEnd?() }
        flushTouched()
        let callbacks = remote.withLock { remote -> [@Sendable () -> Void]? in
            guard queued.isEmpty, remote.work.isEmpty else { return nil }
            remote.hasEnded = true
            defer { remote.endCallbacks = [] }
            return remote.endCallbacks
        }
        guard let callbacks else { return false }
        hasEnded = true
        for callback in callbacks { callback() }
        return true
    }
}
