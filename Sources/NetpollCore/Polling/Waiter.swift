/// One suspended task and the first outcome that reaches it, in whichever order they come.
package final class Waiter<Value: Sendable>: Sendable {
    package typealias Outcome = Result<Value, NetpollError>

    private enum State {
        case idle
        case parked(UnsafeContinuation<Outcome, Never>)
        case finished(Outcome)
    }
    private let state = Locked(State.idle)
    /// The deadline's timer while it is set; changed on its loop only.
    private let timer = Locked<TimerToken?>(nil)

    package init() {}

    /// Suspends until ``finish(_:)``; `begin` runs once the task is parked, unless an outcome is
    /// there already.
    ///
    /// `onCancel` must lead to ``finish(_:)``.
    package func wait(
        begin: () -> Void,
        onCancel: @escaping @Sendable () -> Void
    ) async throws(NetpollError) -> Value {
        let outcome = await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Outcome, Never>) in
                let early = state.withLock { state -> Outcome? in
                    if case .finished(let outcome) = state { return outcome }
                    state = .parked(continuation)
                    return nil
                }
                if let early { continuation.resume(returning: early) } else { begin() }
            }
        } onCancel: {
            onCancel()
        }
        Handover.didResume(self)
        return try outcome.get()
    }

    /// Whether the wait has ended.
    package var isFinished: Bool {
        state.withLock { if case .finished = $0 { true } else { false } }
    }

    /// Ends the wait; the first outcome wins.
    ///
    /// - Returns: Whether this outcome was the first.
    @discardableResult
    package func finish(_ outcome: Outcome) -> Bool {
        let (continuation, isFirst) = state.withLock { state in
            switch state {
            case .idle:
                state = .finished(outcome)
                return (nil as UnsafeContinuation<Outcome, Never>?, true)
            case .parked(let continuation):
                state = .finished(outcome)
                return (continuation, true)
            case .finished:
                return (nil, false)
            }
        }
        Handover.willResume(self)
        continuation?.resume(returning: outcome)
        return isFirst
    }

    private static var loopHasEnded: NetpollError {
        NetpollError(.shutdown, "the event loop has ended")
    }

    /// As ``wait(begin:onCancel:)``, but with an outcome that `loop` brings at a deadline.
    package func wait(
        until deadline: Deadline,
        on loop: EventLoop,
        late outcome: Outcome,
        begin: () -> Void,
        onCancel: @escaping @Sendable () -> Void
    ) async throws(NetpollError) -> Value {
        let accepted = loop.perform {
            guard !self.isFinished else { return }
            let token = loop.schedule(
                at: deadline,
                {
                    self.timer.withLock { $0 = nil }
                    self.finish(outcome)
                },
                atEnd: { self.finish(.failure(Self.loopHasEnded)) }
            )
            self.timer.withLock { $0 = token }
            // It may have ended in this moment, before anybody could see the timer.
            if self.isFinished {
                self.timer.withLock { $0 = nil }
                loop.cancel(token)
            }
        }
        if !accepted { finish(.failure(Self.loopHasEnded)) }
        defer {
            // A wait that ended early must not leave its timer behind for as long as it was set.
            if timer.withLock({ $0 != nil }) {
                loop.perform {
                    if let token = self.timer.withLock({ $0.take() }) { loop.cancel(token) }
                }
            }
        }
        return try await wait(begin: begin, onCancel: onCancel)
    }
}
