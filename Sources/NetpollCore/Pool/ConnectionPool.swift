/// Something that a pool lends: a connection, or a session on one.
public protocol Poolable: AnyObject, Sendable {
    /// Whether it can be used; one atomic load.
    var isActive: Bool { get }
    /// Closes it in good order.
    func close()
    /// Calls `body` once ``isActive`` has become false; at once if it already is.
    func onInactive(_ body: @escaping @Sendable () -> Void)
    /// Calls `body` once it is gone.
    func onClose(_ body: @escaping @Sendable () -> Void)
    /// Whether its peer ended it before it was of use to whoever borrowed it; the second such end
    /// in a row counts as a dial that failed.
    ///
    /// False for members that do not say.
    var endedWithoutUse: Bool { get }
}

extension Poolable {
    /// False: whatever was lent was of use.
    public var endedWithoutUse: Bool { false }
}

extension Connection: Poolable {}

/// Connections to one address that are used by one caller at a time and kept for the next.
///
/// The connection used last is lent first. One whose peer closes it leaves the pool when that news
/// arrives, and is never lent after. Any thread.
public final class ConnectionPool<Member: Poolable>: Sendable {
    /// Starts a dial; `completion` is called once, on any thread.
    public typealias Dial =
        @Sendable (
            _ completion: @escaping @Sendable (Result<Member, NetpollError>) -> Void
        ) -> Void

    private struct Guarded {
        var state: PoolState<Member>
        /// When the timer is due that ends idle connections and late callers.
        var nextSweep: Deadline?
        /// That timer, or one that has fired.
        var timer: TimerToken?
    }

    private let guarded: Locked<Guarded>
    private let dial: Dial
    private let loop: EventLoop
    private let sweepInterval: Duration

    /// Creates an empty pool.
    ///
    /// - Parameters:
    ///   - group: One of its loops keeps the pool's timer.
    ///   - options: The pool's bounds.
    ///   - dial: Makes a connection.
    public init(group: EventLoopGroup, options: PoolOptions = PoolOptions(), dial: @escaping Dial) {
        guarded = Locked(
            Guarded(state: PoolState(options: options, seed: .random(in: .min ... .max)))
        )
        loop = group.next()
        self.dial = dial
        sweepInterval = options.idleTimeout
        perform(guarded.withLock { $0.state.warmUp(now: loop.now()) })
    }

    /// What the pool holds now.
    public var statistics: PoolStatistics { guarded.withLock { $0.state.statistics } }

    /// Lends a connection: an idle one if there is one, else a new one, else the next that is given
    /// back.
    ///
    /// Hand it to ``checkIn(_:)`` when done; one that was closed meanwhile needs not be.
    ///
    /// - Parameter deadline: When to stop waiting.
    /// - Returns: An active connection.
    /// - Throws: ``NetpollError``: the dial's error, `timedOut`, `cancelled`, `limitExceeded` when
    ///   too many wait, or `shutdown`.
    public func checkOut(deadline: Deadline = .distantFuture) async throws(NetpollError) -> Member {
        let waiter = Waiter<Member>()
        return try await waiter.wait {
            handle { $0.checkOut(waiter, deadline: deadline, now: loop.now()) }
            scheduleSweep(at: deadline)
        } onCancel: {
            self.abandon(waiter, NetpollError(.cancelled, "wait for a pooled connection"))
        }
    }

    /// Takes a connection back for the next caller.
    ///
    /// One that is not lent, because it was given back before, is left alone.
    public func checkIn(_ member: Member) {
        perform(guarded.withLock { $0.state.checkIn(member, now: loop.now()) })
        scheduleSweep(at: loop.deadline(after: sweepInterval))
    }

    /// Dials once for nobody, even during a back-off, to learn whether the address is alive.
    package func probe() { perform(guarded.withLock { $0.state.probe() }) }

    /// Closes idle connections, refuses new callers and fails those who wait.
    ///
    /// Lent connections are closed when they are given back.
    public func close() {
        perform(guarded.withLock { $0.state.close() })
    }

    private func abandon(_ waiter: Waiter<Member>, _ error: NetpollError) {
        guarded.withLock { $0.state.cancel(waiter) }
        waiter.finish(.failure(error))
    }

    private func perform(_ actions: [PoolState<Member>.Action]) {
        for action in actions {
            switch action {
            case .give(let member, let waiter):
                // A waiter that gave up in the same moment leaves the connection to the next.
                if !waiter.finish(.success(member)) { checkIn(member) }
            case .fail(let waiter, let error): waiter.finish(.failure(error))
            case .dial: startDial()
            case .close(let member): member.close()
            }
        }
    }

    /// Carries out an event of which a later dial may be the consequence.
    private func handle(_ event: (inout PoolState<Member>) -> [PoolState<Member>.Action]) {
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
                member.onInactive {
                    self.handle { $0.becameInactive(member, now: self.loop.now()) }
                }
                member.onClose { self.handle { $0.closed(member, now: self.loop.now()) } }
            case .failure(let error):
                handle { $0.dialFailed(error, now: loop.now()) }
            }
        }
    }

    /// Makes sure that a sweep happens at `deadline` or before.
    private func scheduleSweep(at deadline: Deadline) {
        let isNew = guarded.withLock { guarded in
            if let next = guarded.nextSweep, next <= deadline { return false }
            guard deadline != .distantFuture else { return false }
            guarded.nextSweep = deadline
            return true
        }
        if isNew { loop.execute { [weak self] in self?.setTimer(deadline) } }
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
                return ([PoolState<Member>.Action](), nil as Deadline?)
            }
            guarded.nextSweep = nil
            return guarded.state.sweep(now: loop.now())
        }
        perform(actions)
        if let next { scheduleSweep(at: next) }
    }
}
