internal import NetpollCore

/// A fixed number of sessions to one address, used in turn; each is dialled when it is first needed
/// and again after it was lost, or was closed because nobody needed it for a while.
///
/// Any thread.
final class MultiplexedConnections: Sendable {
    typealias Dial =
        @Sendable (@escaping @Sendable (Result<ClientSession, NetpollError>) -> Void) -> Void

    private enum Slot {
        case empty
        case dialing
        case ready(ClientSession)
    }
    private struct State {
        var slots: [Slot]
        /// Those who wait for the dial of each slot.
        var waiters: [[Waiter<ClientSession>]]
        var next = 0
        var isClosed = false
        var backOff: DialBackOff

        var waiterCount: Int { waiters.reduce(0) { $0 + $1.count } }

        /// One that lives: it serves while its neighbour's place is empty.
        var activeSession: ClientSession? {
            for case .ready(let session) in slots where session.isActive { return session }
            return nil
        }

        /// Takes an ended session out; a server that accepts and closes is dialled as rarely as one
        /// that refuses.
        mutating func vacate(_ index: Int, _ now: Deadline) {
            guard case .ready(let session) = slots[index] else { return }
            slots[index] = .empty
            guard session.endedWithoutUse else { return backOff.wasUseful() }
            let message = "a connection was closed before it was of use"
            backOff.endedUnused(NetpollError(.connectionReset, message), now: now)
        }
    }
    private enum Pick {
        case session(ClientSession)
        case wait
        case dial(Int)
        case refused(NetpollError)
    }

    private let state: Locked<State>
    private let dial: Dial
    private let waiterLimit: Int
    private let idleTimeout: Duration
    private let now: @Sendable () -> Deadline

    /// - Parameters:
    ///   - count: Most sessions, brought into the bounds of `multiplexed(count:)`.
    ///   - backOff: How long the address is left alone after failed dials.
    ///   - waiterLimit: Most callers that wait for dials; one more fails with `limitExceeded`.
    ///   - idleTimeout: How long a session may have no call.
    ///   - now: The time.
    ///   - dial: Makes a session.
    init(
        count: Int,
        backOff: BackOff,
        waiterLimit: Int = 10_000,
        idleTimeout: Duration = .seconds(60),
        now: @escaping @Sendable () -> Deadline,
        dial: @escaping Dial
    ) {
        let slotCount = min(max(1, count), RPCClientOptions.Connections.multiplexedLimit)
        state = Locked(
            State(
                slots: Array(repeating: .empty, count: slotCount),
                waiters: Array(repeating: [], count: slotCount),
                backOff: DialBackOff(backOff, seed: .random(in: .min ... .max))
            )
        )
        self.waiterLimit = waiterLimit
        self.idleTimeout = idleTimeout
        self.now = now
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
        do throws(NetpollError) {
            return try await waiter.wait(until: deadline, on: loop, late: .failure(late)) {
                begin(waiter)
            } onCancel: {
                waiter.finish(.failure(NetpollError(.cancelled, "the calling task was cancelled")))
            }
        } catch {
            // Who gives up leaves its place, where it may still be.
            state.withLock { state in
                for index in state.waiters.indices {
                    state.waiters[index].removeAll { $0 === waiter }
                }
            }
            throw error
        }
    }

    private func begin(_ waiter: Waiter<ClientSession>) {
        let now = now()
        switch state.withLock({ pick(&$0, waiter, now) }) {
        case .session(let session): waiter.finish(.success(session))
        case .wait: break
        case .dial(let index): dial { self.dialed(index, $0) }
        case .refused(let error): waiter.finish(.failure(error))
        }
    }

    private func pick(
        _ state: inout State,
        _ waiter: Waiter<ClientSession>,
        _ now: Deadline
    ) -> Pick {
        guard !state.isClosed else {
            return .refused(NetpollError(.shutdown, "the client is closed"))
        }
        let index = state.next
        state.next = (index + 1) % state.slots.count
        switch state.slots[index] {
        case .ready(let session) where session.isActive:
            return .session(session)
        case .dialing:
            if let session = state.activeSession { return .session(session) }
            if let error = refusal(state) { return .refused(error) }
            state.waiters[index].append(waiter)
            return .wait
        case .ready, .empty:
            state.vacate(index, now)
            if let error = state.backOff.refusal(now: now) {
                return state.activeSession.map(Pick.session) ?? .refused(error)
            }
            if let error = refusal(state) { return .refused(error) }
            state.slots[index] = .dialing
            state.waiters[index].append(waiter)
            return .dial(index)
        }
    }

    /// Why one more caller must not wait.
    private func refusal(_ state: State) -> NetpollError? {
        let count = state.waiterCount
        guard count >= waiterLimit else { return nil }
        return NetpollError(.limitExceeded, "\(count) callers wait for a connection")
    }

    private func dialed(_ index: Int, _ outcome: Result<ClientSession, NetpollError>) {
        let now = now()
        let (waiters, told, isClosed) = state.withLock {
            state -> ([Waiter<ClientSession>], Waiter<ClientSession>.Outcome, Bool) in
            let waiters = state.waiters[index]
            state.waiters[index] = []
            var told = outcome
            switch outcome {
            case .success(let session):
                state.slots[index] = state.isClosed ? .empty : .ready(session)
                state.backOff.connected()
            case .failure(let error):
                state.slots[index] = .empty
                state.backOff.failed(error, now: now)
                if let session = state.activeSession { told = .success(session) }
            }
            return (waiters, told, state.isClosed)
        }
        for waiter in waiters { waiter.finish(told) }
        guard case .success(let session) = outcome else { return }
        if isClosed { session.close() } else { session.closeWhenIdle(for: idleTimeout) }
        session.onClose { [weak self] in self?.ended(index, session) }
    }

    /// Lets go of a session that is gone, unless a caller has found it so before.
    private func ended(_ index: Int, _ session: ClientSession) {
        let now = now()
        state.withLock { state in
            guard case .ready(let present) = state.slots[index], present === session else { return }
            state.vacate(index, now)
        }
    }

    /// Dials once for nobody, even during a back-off, to learn whether the address is alive.
    func probe() {
        let now = now()
        let empty = state.withLock { state -> Int? in
            let index = state.slots.firstIndex { slot in
                switch slot {
                case .empty: true
                case .ready(let session): !session.isActive
                case .dialing: false
                }
            }
            guard let index, !state.isClosed else { return nil }
            state.vacate(index, now)
            state.slots[index] = .dialing
            return index
        }
        if let empty { dial { self.dialed(empty, $0) } }
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
