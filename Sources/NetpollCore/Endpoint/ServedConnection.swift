/// One connection of a ``Server`` and the task that serves it.
///
/// Any thread.
final class ServedConnection: Sendable {
    private struct State {
        var isBusy = true
        var closesWhenIdle = false
        /// A first request is given a moment to arrive before an idle connection is closed.
        var hasHadItsChance = false
        var task: Task<Void, Never>?
        var isGone = false
    }

    let connection: Connection
    private let handlers: ServerHandlers
    private let state = Locked(State())

    init(_ connection: Connection, _ handlers: ServerHandlers) {
        self.connection = connection
        self.handlers = handlers
    }

    /// Starts the task; `onEnd` is called once, when the connection is gone and the task has ended.
    func begin(onEnd: @escaping @Sendable () -> Void) {
        connection.onClose { self.connectionIsGone() }
        let task = Task(executorPreference: connection.loop) {
            await self.serve()
            onEnd()
        }
        let isGone = state.withLock { state in
            state.task = task
            return state.isGone
        }
        if isGone { task.cancel() }
    }

    private func connectionIsGone() {
        let task = state.withLock { state in
            state.isGone = true
            return state.task
        }
        task?.cancel()
    }

    /// Closes the connection as soon as no handler runs and no byte waits.
    ///
    /// A connection that has not had a request yet, perhaps because it comes from the backlog, gets
    /// 100 ms for its first.
    func closeWhenIdle() {
        let (isIdle, hasHadItsChance) = state.withLock { state in
            state.closesWhenIdle = true
            return (!state.isBusy, state.hasHadItsChance)
        }
        if !hasHadItsChance {
            connection.loop.perform {
                let end = self.connection.loop.deadline(after: Self.firstRequestGrace)
                _ = self.connection.loop.schedule(at: end) { self.graceEnded() }
            }
        } else if isIdle {
            connection.close()
        }
    }

    private static let firstRequestGrace: Duration = .milliseconds(100)

    private func graceEnded() {
        let isIdle = state.withLock { state in
            state.hasHadItsChance = true
            return !state.isBusy
        }
        if isIdle { connection.close() }
    }

    private func serve() async {
        do {
            try await handlers.onConnect?(connection)
            try await serveRequests()
            connection.close()
        } catch {
            connection.close()
        }
        await waitUntilGone()
        handlers.onDisconnect?(connection)
    }

    private func serveRequests() async throws {
        var known = 0
        while true {
            let waiting = await connection.bufferedByteCount()
            if waiting <= known, becomeIdle() { return }
            guard try await connection.waitForInput(moreThan: known) else { return }
            state.withLock { state in
                state.isBusy = true
                state.hasHadItsChance = true
            }
            let before = await connection.bufferedByteCount()
            try await handlers.onRequest(connection)
            let after = await connection.bufferedByteCount()
            // Only new bytes are a reason to ask a handler again that left all where it was.
            known = after >= before ? after : 0
        }
    }

    /// Notes that no handler runs.
    ///
    /// - Returns: Whether the connection shall be closed now.
    private func becomeIdle() -> Bool {
        state.withLock { state in
            state.isBusy = false
            return state.closesWhenIdle && state.hasHadItsChance
        }
    }

    private func waitUntilGone() async {
        let gone = Waiter<Void>()
        connection.onClose { gone.finish(.success(())) }
        try? await gone.wait(begin: {}, onCancel: {})
    }
}
