import NetpollTesting
import Synchronization
import Testing

@testable import NetpollCore

/// A pool member without a socket.
private final class FakeMember: Poolable {
    private let active = Atomic(true)
    var isActive: Bool { active.load(ordering: .relaxed) }
    func close() { active.store(false, ordering: .relaxed) }
    func onClose(_ body: @escaping @Sendable () -> Void) {}
}

@Suite("PoolState")
struct PoolStateTests {
    private typealias State = PoolState<FakeMember>
    private let now = Deadline(uptimeNanoseconds: 1_000_000_000)

    private func state(limit: Int = 2, idle: Int = 2, waiters: Int = 10) -> PoolState<FakeMember> {
        var options = PoolOptions()
        options.connectionLimit = limit
        options.idleLimit = idle
        options.waiterLimit = waiters
        options.idleTimeout = .seconds(10)
        return PoolState(options: options, seed: 1)
    }

    private func given(_ action: State.Action?) -> (FakeMember, Waiter<FakeMember>)? {
        if case .give(let member, let waiter) = action { (member, waiter) } else { nil }
    }

    @Test("the connection used last is lent first; an inactive one never")
    func lifo() {
        var state = state()
        let members = [FakeMember(), FakeMember()]
        for member in members {
            _ = state.checkOut(Waiter(), deadline: .distantFuture, now: now)
            _ = state.dialed(member, now: now)
        }
        for member in members { _ = state.checkIn(member, now: now) }
        let waiter = Waiter<FakeMember>()
        let first = given(state.checkOut(waiter, deadline: .distantFuture, now: now))
        #expect(first?.0 === members[1] && first?.1 === waiter)
        members[0].close()
        let second = state.checkOut(Waiter(), deadline: .distantFuture, now: now)
        // The inactive one still counts until its end is reported, so nothing can be dialled.
        #expect(second == nil)
        guard case .dial? = state.closed(members[0], now: now) else {
            return #expect(Bool(false), "room for a dial")
        }
    }

    @Test("at the limit callers wait in order, and get what is given back")
    func waiting() {
        var state = state(limit: 1)
        let waiters = (0..<3).map { _ in Waiter<FakeMember>() }
        guard case .dial? = state.checkOut(waiters[0], deadline: .distantFuture, now: now) else {
            return #expect(Bool(false))
        }
        for waiter in waiters[1...] {
            let action = state.checkOut(waiter, deadline: .distantFuture, now: now)
            #expect(action == nil)
        }
        let member = FakeMember()
        let first = given(state.dialed(member, now: now))
        #expect(first?.1 === waiters[0])
        state.cancel(waiters[1])
        let next = given(state.checkIn(member, now: now))
        #expect(next?.1 === waiters[2])
        let counts = state.statistics
        #expect(counts.live == 1 && counts.idle == 0 && counts.waiting == 0 && counts.reused == 0)
    }

    private let refused = NetpollError(.connectionRefused, "x")

    @Test("a failed dial fails all who wait, and nobody dials again until the back-off has passed")
    func dialFailure() {
        var state = state(limit: 1)
        let waiters = (0..<2).map { _ in Waiter<FakeMember>() }
        for waiter in waiters { _ = state.checkOut(waiter, deadline: .distantFuture, now: now) }
        let failed = state.dialFailed(refused, now: now).compactMap { action in
            if case .fail(let waiter, let error) = action, error == refused { waiter } else { nil }
        }
        #expect(failed.map(ObjectIdentifier.init) == waiters.map(ObjectIdentifier.init))
        guard case .fail? = state.checkOut(Waiter(), deadline: .distantFuture, now: now) else {
            return #expect(Bool(false))
        }
        // 50 ms and a fifth at most.
        let later = now.advanced(by: .milliseconds(61))
        guard case .dial? = state.checkOut(Waiter(), deadline: .distantFuture, now: later) else {
            return #expect(Bool(false))
        }
    }

    @Test("an address that has answered before gets one more try at once")
    func forgiven() {
        var state = state(limit: 1)
        _ = state.checkOut(Waiter(), deadline: .distantFuture, now: now)
        let member = FakeMember()
        _ = state.dialed(member, now: now)
        _ = state.closed(member, now: now)
        for _ in 0..<2 { _ = state.checkOut(Waiter(), deadline: .distantFuture, now: now) }
        let actions = state.dialFailed(refused, now: now)
        guard actions.count == 2, case .fail = actions[0], case .dial = actions[1] else {
            return #expect(Bool(false))
        }
        let second = state.dialFailed(refused, now: now)
        #expect(second.count == 1 && state.statistics.failedDials == 2)
    }

    @Test("the back-off grows by its factor to its limit, within the jitter")
    func backOff() {
        let backOff = PoolOptions.BackOff()
        #expect(backOff.delay(after: 1, random: 0.5) == .milliseconds(50))
        #expect(backOff.delay(after: 2, random: 0.5) == .milliseconds(80))
        #expect(backOff.delay(after: 1, random: 0) == .milliseconds(40))
        #expect(backOff.delay(after: .max, random: 0.5) == .milliseconds(500))
    }

    @Test("the minimum is dialled unasked, kept for ever and replaced when lost")
    func minimum() {
        var options = PoolOptions()
        options.minimumIdle = 2
        options.idleTimeout = .seconds(10)
        var state = PoolState<FakeMember>(options: options, seed: 1)
        #expect(state.warmUp(now: now).count == 2)
        let members = (0..<3).map { _ in FakeMember() }
        for member in members[..<2] { _ = state.dialed(member, now: now) }
        #expect(state.statistics.idle == 2)
        let (actions, next) = state.sweep(now: now.advanced(by: .seconds(100)))
        #expect(actions.isEmpty && next == nil)
        guard case .dial? = state.closed(members[0], now: now) else {
            return #expect(Bool(false))
        }
        #expect(state.dialFailed(refused, now: now).count == 1, "forgiven once")
        #expect(state.dialFailed(refused, now: now).isEmpty)
        let retry = state.retry
        let due = retry.map { state.sweep(now: $0).actions.count }
        #expect(due == 1)
    }

    @Test("pools that share a budget keep no more idle connections than it allows")
    func budget() {
        var options = PoolOptions()
        options.idleBudget = IdleBudget(limit: 1)
        var states = (0..<2).map { PoolState<FakeMember>(options: options, seed: UInt64($0)) }
        let members = (0..<2).map { _ in FakeMember() }
        for index in 0..<2 {
            _ = states[index].checkOut(Waiter(), deadline: .distantFuture, now: now)
            _ = states[index].dialed(members[index], now: now)
        }
        let kept = states[0].checkIn(members[0], now: now)
        #expect(kept == nil)
        guard case .close? = states[1].checkIn(members[1], now: now) else {
            return #expect(Bool(false))
        }
        _ = states[0].closed(members[0], now: now)
        #expect(options.idleBudget?.idleCount == 0)
    }

    @Test("too many idle ones are closed, and those that are idle too long")
    func idle() {
        var state = state(limit: 3, idle: 1)
        let members = (0..<2).map { _ in FakeMember() }
        for member in members {
            _ = state.checkOut(Waiter(), deadline: .distantFuture, now: now)
            _ = state.dialed(member, now: now)
        }
        let kept = state.checkIn(members[0], now: now)
        #expect(kept == nil)
        guard case .close(let surplus)? = state.checkIn(members[1], now: now) else {
            return #expect(Bool(false))
        }
        #expect(surplus === members[1])
        let early = state.sweep(now: now.advanced(by: .seconds(9)))
        #expect(early.actions.isEmpty && early.next == now.advanced(by: .seconds(10)))
        let late = state.sweep(now: now.advanced(by: .seconds(10)))
        #expect(late.actions.count == 1 && late.next == nil)
    }

    @Test(
        "a caller waits until its deadline, and not at all when too many wait or the pool is closed"
    )
    func refusal() {
        var state = state(limit: 1, waiters: 2)
        _ = state.checkOut(Waiter(), deadline: .distantFuture, now: now)
        _ = state.checkOut(Waiter(), deadline: now, now: now)
        guard case .fail(_, let full)? = state.checkOut(Waiter(), deadline: now, now: now) else {
            return #expect(Bool(false))
        }
        #expect(full.code == .limitExceeded)
        guard case .fail(_, let late)? = state.sweep(now: now).actions.first else {
            return #expect(Bool(false))
        }
        #expect(late.code == .timedOut)
        let ended = state.close()
        #expect(ended.count == 1)
        guard case .fail(_, let closed)? = state.checkOut(Waiter(), deadline: now, now: now) else {
            return #expect(Bool(false))
        }
        #expect(closed.code == .shutdown)
    }
}
