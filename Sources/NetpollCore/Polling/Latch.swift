/// Something that happens once, for any number of tasks that wait for it.
///
/// Any thread.
package final class Latch: Sendable {
    private struct State {
        var isSet = false
        var waiters: [Waiter<Void>] = []
    }
    private let state = Locked(State())

    package init() {}

    /// Whether it has happened.
    package var isSet: Bool { state.withLock { $0.isSet } }

    /// It has happened: lets all go on who wait.
    package func set() {
        let waiters = state.withLock { state in
            state.isSet = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.finish(.success(())) }
    }

    /// Suspends until it has happened, whether or not the task is cancelled.
    package func wait() async {
        let waiter = Waiter<Void>()
        let isSet = state.withLock { state in
            if !state.isSet { state.waiters.append(waiter) }
            return state.isSet
        }
        // Fails never, because nobody ends it but `set()`.
        if !isSet { try? await waiter.wait(begin: {}, onCancel: {}) }
    }
}
