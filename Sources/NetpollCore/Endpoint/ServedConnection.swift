/// One connection of a ``Server`` and the task that serves it.
///
/// Any thread.
final class ServedConnection: Sendable {
    private struct State {
        var isBusy = true
        /// Bytes that the handler has seen and left: no reason to call it again.
        var knownByteCount = 0
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
            closeIfIdle()
        }
    }

    /// Closes unless a handler runs or a request has come that it will be called for.
    private func closeIfIdle() {
        connection.loop.perform {
            let (isBusy, known) = self.state.withLock { ($0.isBusy, $0.knownByteCount) }
            if !isBusy, self.connection.input.byteCount <= known { self.connection.close() }
        }
    }

    private static let firstRequestGrace: Duration = .milliseconds(100)

    private func graceEnded() {
        state.withLock { $0.hasHadItsChance = true }
        closeIfIdle()
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
            let waiting = await connection.inputCounts().unread
            if waiting <= known, becomeIdle(known) { return }
            guard try await connection.waitForInput(moreThan: known) else { return }
            state.withLock { state in
                state.isBusy = true
                state.hasHadItsChance = true
            }
            let before = await connection.inputCounts()
            try await handlers.onRequest(connection)
            let after = await connection.inputCounts()
            // Only new bytes are a reason to ask a handler again that left all where it was.
            known = after.read == before.read ? before.unread : 0
        }
    }

    /// Notes that no handler runs.
    ///
    /// - Returns: Whether the connection shall be closed now.
    private func becomeIdle(_ known: Int) -> Bool {
        state.withLock { state in
            state.isBusy = false
            state.knownByteCount = known
            return state.closesWhenIdle && state.hasHadItsChance
        }
    }

    /// Returns once the connection is gone.
    func waitUntilGone() async {
        let gone = Waiter<Void>()
        connection.onClose { gone.finish(.success(())) }
        try? await gone.wait(begin: {}, onCancel: {})
    }
}
