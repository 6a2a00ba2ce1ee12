internal import NetpollCore

/// Runs a call that may be made several times at once; the first good outcome wins and the rest is
/// cancelled.
final class HedgedCall: Sendable {
    typealias Outcome = HedgeState.Outcome

    private struct State {
        var hedge: HedgeState
        var tasks: [Task<Void, Never>] = []
        var timer: TimerToken?
    }

    private let state: Locked<State>
    private let waiter = Waiter<(attempt: Int, outcome: Outcome)>()
    private let loop: EventLoop
    private let delay: Duration
    private let mayRetry: @Sendable () -> Bool
    private let mayHedge: @Sendable () -> Bool
    private let send: @Sendable (Int) async -> Outcome

    init(
        _ policy: RetryPolicy,
        on loop: EventLoop,
        mayRetry: @escaping @Sendable () -> Bool,
        mayHedge: @escaping @Sendable () -> Bool,
        send: @escaping @Sendable (Int) async -> Outcome
    ) {
        state = Locked(State(hedge: HedgeState(policy)))
        delay = policy.hedgingDelay ?? .zero
        self.loop = loop
        self.mayRetry = mayRetry
        self.mayHedge = mayHedge
        self.send = send
    }

    /// Makes the call; each attempt ends by its own deadline.
    ///
    /// - Returns: The outcome, and the number of the attempt that it is of.
    func run() async throws(NetpollError) -> (attempt: Int, outcome: Outcome) {
        defer { cancelAll() }
        return try await waiter.wait {
            perform(state.withLock { $0.hedge.begin() })
        } onCancel: {
            self.waiter.finish(.failure(NetpollError(.cancelled, "the calling task was cancelled")))
        }
    }

    private func cancelAll() {
        let tasks = state.withLock { state in
            state.hedge.cancel()
            return state.tasks
        }
        for task in tasks { task.cancel() }
        loop.perform {
            if let token = self.state.withLock({ $0.timer.take() }) { self.loop.cancel(token) }
        }
    }

    /// Only the end of an attempt finishes the call; `number` is that attempt's.
    private func perform(_ actions: [HedgeState.Action], atEndOf number: Int = 0) {
        for action in actions {
            switch action {
            case .start(let number): start(number)
            case .wait: scheduleNext()
            case .finish(let outcome): waiter.finish(.success((number, outcome)))
            }
        }
    }

    private func start(_ number: Int) {
        let task = Task(executorPreference: loop) {
            let outcome = await self.send(number)
            self.perform(
                self.state.withLock { $0.hedge.ended(outcome, mayStart: self.mayRetry) },
                atEndOf: number
            )
        }
        let isDone = state.withLock { state in
            state.tasks.append(task)
            return state.hedge.isDone
        }
        if isDone { task.cancel() }
    }

    private func scheduleNext() {
        let deadline = loop.deadline(after: delay)
        let accepted = loop.perform {
            let isDone = self.state.withLock { state in
                if let token = state.timer.take() { self.loop.cancel(token) }
                return state.hedge.isDone
            }
            guard !isDone else { return }
            let token = self.loop.schedule(at: deadline) { self.delayPassed() }
            self.state.withLock { $0.timer = token }
        }
        if !accepted {
            waiter.finish(.failure(NetpollError(.shutdown, "the event loop has ended")))
        }
    }

    private func delayPassed() {
        let actions = state.withLock { state in
            state.timer = nil
            return state.hedge.delayPassed(mayStart: mayHedge)
        }
        perform(actions)
    }
}
