internal import NetpollCore

/// A fixed number of sessions to one address, used in turn; each is dialled when it is first needed
/// and again after it was lost.
///
/// Any thread.
final class MultiplexedConnections: Sendable {
    typealias Dial =
        @Sendable (@escaping @Sendable (Result<ClientSession, NetpollError>) -> Void) -> Void

    private enum Slot {
        case empty
        case dialing([Waiter<ClientSession>])
        case ready(ClientSession)
    }
    private struct State {
        var slots: [Slot]
        var next = 0
        var isClosed = false
    }
    private enum Pick {
        case session(ClientSession)
        case wait
        case dial(Int)
        case closed
    }

    private let state: Locked<State>
    private let dial: Dial

    init(count: Int, dial: @escaping Dial) {
        state = Locked(State(slots: Array(repeating: .empty, count: max(1, count))))
        self.dial = dial
    }

    /// A connected session, without waiting: one of the caller's own loop if the caller runs on a
    /// loop, so that the reply needs no other thread, else the next in turn.
    func readySession() -> ClientSession? {
        state.withLock { state in
            for case .ready(let session) in state.slots
            where session.isOnCurrentLoop && session.isActive {
                return session
            }
            guard case .ready(let session) = state.slots[state.next], session.isActive else {
                return nil
            }
            state.next = (state.next + 1) % state.slots.count
            return session
        }
    }

    /// The next session, connected first if it must be.
    func session(until deadline: Deadline, on loop: EventLoop) async throws(NetpollError)
        -> ClientSession
    {
        let waiter = Waiter<ClientSession>()
        let late = NetpollError(.timedOut, "the call's deadline passed while connecting")
        return try await waiter.wait(until: deadline, on: loop, late: .failure(late)) {
            begin(waiter)
        } onCancel: {
            waiter.finish(.failure(NetpollError(.cancelled, "the calling task was cancelled")))
        }
    }

    private func begin(_ waiter: Waiter<ClientSession>) {
        switch state.withLock({ Self.pick(&$0, waiter) }) {
        case .session(let session): waiter.finish(.success(session))
        case .wait: break
        case .dial(let index): dial { self.dialed(index, $0) }
        case .closed: waiter.finish(.failure(NetpollError(.shutdown, "the client is closed")))
        }
    }

    private static func pick(_ state: inout State, _ waiter: Waiter<ClientSession>) -> Pick {
        guard !state.isClosed else { return .closed }
        let index = state.next
        state.next = (index + 1) % state.slots.count
        switch state.slots[index] {
        case .ready(let session) where session.isActive:
            return .session(session)
        case .dialing(let waiters):
            state.slots[index] = .dialing(waiters + [waiter])
            return .wait
        case .ready, .empty:
            state.slots[index] = .dialing([waiter])
            return .dial(index)
        }
    }

    private func dialed(_ index: Int, _ outcome: Result<ClientSession, NetpollError>) {
        let (waiters, isClosed) = state.withLock { state -> ([Waiter<ClientSession>], Bool) in
            guard case .dialing(let waiters) = state.slots[index] else {
                return ([], state.isClosed)
            }
            if case .success(let session) = outcome, !state.isClosed {
                state.slots[index] = .ready(session)
            } else {
                state.slots[index] = .empty
            }
            return (waiters, state.isClosed)
        }
        for waiter in waiters { waiter.finish(outcome) }
        if isClosed, case .success(let session) = outcome { session.close() }
    }

    /// Refuses new calls and closes each session once its calls have ended.
    func close() {
        let sessions = state.withLock { state in
            state.isClosed = true
            return state.slots.compactMap { slot in
                if case .ready(let session) = slot { session } else { nil }
            }
        }
        for session in sessions { session.close() }
    }
}
