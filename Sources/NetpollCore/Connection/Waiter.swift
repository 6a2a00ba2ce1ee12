internal import Synchronization

/// One suspended task and the first outcome that reaches it, in whichever order they come.
final class Waiter<Value: Sendable>: Sendable {
    typealias Outcome = Result<Value, NetpollError>

    private enum State {
        case idle
        case parked(UnsafeContinuation<Outcome, Never>)
        case finished(Outcome)
    }
    private let state = Mutex(State.idle)

    /// Suspends until ``finish(_:)``; `begin` runs once the task is parked, unless an outcome is
    /// there already. `onCancel` must lead to ``finish(_:)``.
    func wait(
        begin: () -> Void, onCancel: @escaping @Sendable () -> Void
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
        return try outcome.get()
    }

    /// Ends the wait; the first outcome wins.
    ///
    /// - Returns: Whether this outcome was the first.
    @discardableResult
    func finish(_ outcome: Outcome) -> Bool {
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
        continuation?.resume(returning: outcome)
        return isFirst
    }
}
