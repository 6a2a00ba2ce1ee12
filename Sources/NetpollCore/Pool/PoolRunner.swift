/// A member of any pool: an object whose type the pool's caller knows.
struct PooledObject: PoolMember {
    let object: any Poolable

    var identity: ObjectIdentifier { ObjectIdentifier(object) }
    var isActive: Bool { object.isActive }
    var endedWithoutUse: Bool { object.endedWithoutUse }
}

/// Carries out the decisions of a pool.
///
/// Not generic: what is generic over types of other modules is not specialised for them and looks
/// types up at run time, which took half of the time of a pooled call. Any thread.
final class PoolRunner: Sendable {
    typealias Dial =
        @Sendable (
            _ completion: @escaping @Sendable (Result<PooledObject, NetpollError>) -> Void
        ) -> Void

    private typealias State = PoolState<PooledObject>

    private struct Guarded {
        var state: State
        /// When the timer is due that ends idle connections and late callers.
        var nextSweep: Deadline?
        /// That timer, or one that has fired.
        var timer: TimerToken?

        /// Whether a timer must be set so that a sweep happens at `deadline` or before.
        mutating func needsSweep(at deadline: Deadline) -> Bool {
            if let nextSweep, nextSweep <= deadline { return false }
            guard deadline != .distantFuture else { return false }
            nextSweep = deadline
            return true
        }
    }

    private let guarded: Locked<Guarded>
    private let dial: Dial
    private let loop: EventLoop
    private let sweepInterval: Duration

    init(group: EventLoopGroup, options: PoolOptions, dial: @escaping Dial) {
        guarded = Locked(
            Guarded(state: PoolState(options: options, seed: .random(in: .min ... .max)))
        )
        loop = group.next()
        self.dial = dial
        sweepInterval = options.idleTimeout
        perform(guarded.withLock { $0.state.warmUp(now: loop.now()) })
    }

    var statistics: PoolStatistics { guarded.withLock { $0.state.statistics } }

    func checkOut(deadline: Deadline) async throws(NetpollError) -> PooledObject {
        let waiter = Waiter<PooledObject>()
        return try await waiter.wait {
            handle { $0.checkOut(waiter, deadline: deadline, now: loop.now()) }
            // One that gave up in this moment was not there yet to be taken out.
            if waiter.isFinished { guarded.withLock { $0.state.cancel(waiter) } }
            scheduleSweep(at: deadline)
        } onCancel: {
            self.abandon(waiter, NetpollError(.cancelled, "wait for a pooled connection"))
        }
    }

    func checkOutIdle() -> PooledObject? {
        guarded.withLock { $0.state.checkOutIdle() }
    }

    func checkIn(_ member: PooledObject) {
        let now = loop.now()
        let sweep = now.advanced(by: sweepInterval)
        let (actions, isNew) = guarded.withLock { guarded in
            (guarded.state.checkIn(member, now: now), guarded.needsSweep(at: sweep))
        }
        perform(actions)
        if isNew { startTimer(sweep) }
    }

    func probe() { perform(guarded.withLock { $0.state.probe() }) }

    func close() {
        perform(guarded.withLock { $0.state.close() })
    }

    private func abandon(_ waiter: Waiter<PooledObject>, _ error: NetpollError) {
        guarded.withLock { $0.state.cancel(waiter) }
        waiter.finish(.failure(error))
    }

    private func perform(_ actions: [State.Action]) {
        for action in actions {
            switch action {
            case .give(let member, let waiter):
                // A waiter that gave up in the same moment leaves the connection to the next.
                if !waiter.finish(.success(member)) { checkIn(member) }
            case .fail(let waiter, let error): waiter.finish(.failure(error))
            case .dial: startDial()
            case .close(let member): member.object.close()
            }
        }
    }

    /// Carries out an event of which a later dial may be the consequence.
    private func handle(_ event: (inout State) -> [State.Action]) {
        let (actions, retry) = guarded.withLock { guarded in
            (event(&guarded.state), guarded.state.retry)
        }
        perform(actions)
        if let retry { scheduleSweep(at: retry) }
    }

    private func startDial() {
        dial { [self] outcome in
            switch outcome {
            case .success(let member):
                handle { $0.dialed(member, now: loop.now()) }
                scheduleSweep(at: loop.deadline(after: sweepInterval))
                member.object.onInactive {
                    self.handle { $0.becameInactive(member, now: self.loop.now()) }
                }
                member.object.onClose { self.handle { $0.closed(member, now: self.loop.now()) } }
            case .failure(let error):
                handle { $0.dialFailed(error, now: loop.now()) }
            }
        }
    }

    /// Makes sure that a sweep happens at `deadline` or before.
    private func scheduleSweep(at deadline: Deadline) {
        if guarded.withLock({ $0.needsSweep(at: deadline) }) { startTimer(deadline) }
    }

    private func startTimer(_ deadline: Deadline) {
        loop.execute { [weak self] in self?.setTimer(deadline) }
    }

    /// Puts a timer in the place of the last.
    ///
    /// Loop only.
    private func setTimer(_ deadline: Deadline) {
        // An earlier sweep may have been asked for meanwhile.
        guard guarded.withLock({ $0.nextSweep == deadline }) else { return }
        let timer = loop.schedule(at: deadline) { [weak self] in self?.sweep(deadline) }
        let last = guarded.withLock { guarded in
            defer { guarded.timer = timer }
            return guarded.timer
        }
        if let last { loop.cancel(last) }
    }

    private func sweep(_ deadline: Deadline) {
        let (actions, next) = guarded.withLock { guarded in
            // An earlier sweep was asked for meanwhile and has looked already.
            guard guarded.nextSweep == deadline else {
                return ([State.Action](), nil as Deadline?)
            }
            guarded.nextSweep = nil
            return guarded.state.sweep(now: loop.now())
        }
        perform(actions)
        if let next { scheduleSweep(at: next) }
    }
}
