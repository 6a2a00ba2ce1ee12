internal import Logging
internal import NetpollCore

/// The end of a server.
extension RPCServer {
    /// Asks the server to end and returns at once: ``run(on:)-(SocketAddress...)`` goes on with
    /// ``shutdown()``.
    ///
    /// A server that was started by ``start(on:)`` needs ``shutdown()`` itself.
    public func beginShutdown() { state.withLock { $0.requested }.finish(.success(())) }

    /// Cancels the calls in flight of a server that shuts down, without waiting for the drain
    /// timeout; they are answered, and connections close.
    ///
    /// Does nothing before ``shutdown()`` has begun. Any number of times.
    public func cancelCalls() {
        let emptied = state.withLock { state -> Waiter<Void>? in
            guard state.phase == .closing || state.phase == .ending else { return nil }
            guard !state.isForced else { return nil }
            state.isForced = true
            return state.emptied
        }
        emptied?.finish(.failure(NetpollError(.cancelled, "drain")))
    }

    /// Ends the server: stops accepting, answers the calls in flight, tells multiplexing clients,
    /// and closes.
    ///
    /// Calls that take longer than the drain timeout are cancelled.
    ///
    /// One that comes while the server starts waits for that, and has ``start(on:)`` throw.
    ///
    /// Returns when everything is closed; any number of calls wait for the first.
    public func shutdown() async {
        let (phase, requested) = state.withLock { state in
            defer {
                switch state.phase {
                case .new: state.phase = .ending
                case .starting, .running: state.phase = .closing
                case .closing, .ending: break
                }
            }
            return (state.phase, state.requested)
        }
        requested.finish(.success(()))
        switch phase {
        case .new: ended.set()
        case .starting:
            await started.wait()
            await end()
        case .running: await end()
        case .closing, .ending: await ended.wait()
        }
    }

    private func end() async {
        let (group, listeners) = state.withLock { ($0.group, $0.listeners) }
        // One whose start has failed has nothing to close.
        guard let group else { return }
        for observer in observers { observer.serverWillDrain() }
        // What the kernel has accepted already is taken and served like the rest.
        for listener in listeners { await listener.close() }
        let sessions = state.withLock { state in
            state.phase = .ending
            return Array(state.sessions.values)
        }
        for session in sessions { session.drain() }
        await waitUntilEmpty(group)
        if givenGroup == nil { await group.shutdown() }
        ended.set()
    }

    /// Waits for the last connection, pressing harder each time that it takes too long.
    private func waitUntilEmpty(_ group: EventLoopGroup) async {
        if await isEmptied(within: options.drainTimeout, group, endsWhenForced: true) { return }
        let late = state.withLock { Array($0.sessions.values) }
        options.logger.info(
            "cancelling calls that have not ended in time",
            metadata: ["connections": "\(late.count)", "timeout": "\(options.drainTimeout)"]
        )
        for session in late { session.cancelAll() }
        // The connections close in good order, which takes a peer that answers; others are cut off.
        if await isEmptied(within: Self.cancellationGrace, group) { return }
        for session in state.withLock({ Array($0.sessions.values) }) { session.connection.abort() }
        _ = await isEmptied(within: Self.cancellationGrace, group)
    }

    private static let cancellationGrace: Duration = .seconds(1)

    private func isEmptied(
        within timeout: Duration,
        _ group: EventLoopGroup,
        endsWhenForced: Bool = false
    ) async -> Bool {
        let emptied = Waiter<Void>()
        let (isEmpty, isForced) = state.withLock { state in
            state.emptied = emptied
            return (state.sessions.isEmpty, state.isForced)
        }
        if isEmpty { return true }
        if isForced, endsWhenForced { return false }
        let late = NetpollError(.timedOut, "drain")
        do throws(NetpollError) {
            try await emptied.wait(
                until: group.deadline(after: timeout),
                on: group.next(),
                late: .failure(late),
                begin: {},
                onCancel: {}
            )
            return true
        } catch {
            return false
        }
    }
}
