internal import NetpollCore

/// The tasks of one loop that run handlers for the sessions of a server.
///
/// Confined to the inside of the loop.
final class HandlerTasks: @unchecked Sendable {
    // @unchecked: all state is touched inside the loop only.

    /// How many tasks wait at the most; each takes about 1.5 KiB.
    private static let idleLimit = 128

    let loop: EventLoop
    @exclusivity(unchecked) private var idle: [HandlerTask] = []
    /// While there is none, tasks have nothing to wait for.
    private var sessionCount = 0

    init(_ loop: EventLoop) { self.loop = loop }

    /// A session is about to start its first call.
    func join() { sessionCount += 1 }

    /// A session that has joined starts no more calls.
    func leave() {
        sessionCount -= 1
        guard sessionCount == 0 else { return }
        let ending = idle
        idle = []
        for task in ending { task.end() }
    }

    /// Runs a call, and those that its session has ready, until a handler waits or all have returned;
    /// the loop is lent out meanwhile.
    ///
    /// - Returns: False if the loop was lost to another thread.
    func run(_ call: ServerCall) -> Bool {
        if let task = idle.popLast() { return task.resume(call) }
        return HandlerTask(self).start(call)
    }

    /// - Returns: False if the task is not needed any more.
    fileprivate func keep(_ task: HandlerTask) -> Bool {
        guard sessionCount > 0, idle.count < Self.idleLimit else { return false }
        idle.append(task)
        return true
    }
}

/// A task that runs handlers, one call after the other.
///
/// To create a task costs more than most handlers do. A task that was cancelled ends with its call,
/// because the next must not find itself cancelled; so does one whose handler has left a task
/// behind that inherited the call's context, because that must not see the next call's.
private final class HandlerTask: @unchecked Sendable {
    // @unchecked: `holder` is touched by the task itself, all else inside the loop; `call` is read
    // by the task too, between its start and its return, when nobody changes it.

    private let tasks: HandlerTasks
    private var loop: EventLoop { tasks.loop }
    private var task: Task<Void, Never>?
    private var isCancelled = false
    /// The call that is being served.
    @exclusivity(unchecked) private var call: ServerCall?
    /// Resumed with whether there is another call.
    @exclusivity(unchecked) private var continuation: UnsafeContinuation<Bool, Never>?
    /// Owned by the task-local value of the task.
    private let holder: Unmanaged<ContextHolder>

    init(_ tasks: HandlerTasks) {
        self.tasks = tasks
        holder = .passRetained(ContextHolder())
    }

    /// As ``HandlerTasks/run(_:)``, the first time.
    func start(_ call: ServerCall) -> Bool {
        self.call = call
        return follow(
            loop.lendToTask {
                task = ContextHolder.$current.withValue(holder.takeRetainedValue()) {
                    Task(executorPreference: loop) { await self.run() }
                }
            }
        )
    }

    /// As ``HandlerTasks/run(_:)``, with a task that waits.
    func resume(_ call: ServerCall) -> Bool {
        self.call = call
        return follow(loop.lendToTask { resume(true) })
    }

    /// Lets a task that waits end.
    func end() { resume(false) }

    private func resume(_ hasCall: Bool) { continuation.take()?.resume(returning: hasCall) }

    /// Takes care that a handler that waits is cancelled when it must be.
    private func follow(_ isInside: Bool) -> Bool {
        if isInside {
            followCall()
        } else {
            loop.perform { self.followCall() }
        }
        return isInside
    }

    private func followCall() {
        // Most handlers have returned by now.
        call?.follow { self.cancel() }
    }

    private func cancel() {
        isCancelled = true
        task?.cancel()
    }
}

// MARK: - The task

extension HandlerTask {
    private func run() async {
        repeat { await serve() } while await hasAnotherCall()
    }

    /// Nothing of the call outlives this in the task.
    private func serve() async {
        guard let call else { return }
        holder._withUnsafeGuaranteedRef { $0.context = call.context }
        await call.route.handler.serve(call)
        call.session.settings.limits.release(1)
        if !ContextHolder.isShared(holder) { holder._withUnsafeGuaranteedRef { $0.context = nil } }
    }

    private var hasLeftTask: Bool { holder._withUnsafeGuaranteedRef { $0.context != nil } }

    private func hasAnotherCall() async -> Bool {
        let hasLeftTask = hasLeftTask
        var hasCall = false
        if loop.ifInside({ hasCall = takeNext(hasLeftTask) }), hasCall { return true }
        return await withUnsafeContinuation { continuation in
            if loop.ifInside({ wait(hasLeftTask, continuation) }) { return }
            if !loop.execute({ self.wait(hasLeftTask, continuation) }) {
                continuation.resume(returning: false)
            }
        }
    }

    private func wait(_ hasLeftTask: Bool, _ continuation: UnsafeContinuation<Bool, Never>) {
        if takeNext(hasLeftTask) {
            continuation.resume(returning: true)
        } else if isCancelled || hasLeftTask || !tasks.keep(self) {
            continuation.resume(returning: false)
        } else {
            self.continuation = continuation
        }
    }

    /// Ends the call that was served, and begins the next one that its session has ready.
    private func takeNext(_ hasLeftTask: Bool) -> Bool {
        guard let ended = call.take() else { return false }
        ended.session.finished(ended)
        guard !isCancelled, !hasLeftTask, let next = ended.session.takeForLoop() else {
            return false
        }
        call = next
        loop.nextJobBegins()
        return true
    }
}
