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
        return PoolState(options: options)
    }

    private func given(_ action: State.Action?) -> (FakeMember, Waiter<FakeMember>)? {
        if case .give(let member, let waiter) = action { (member, waiter) } else { nil }
    }

    @Test("the connection used last is lent first; an inactive one never")
    func lifo() {
        var state = state()
        let members = [FakeMember(), FakeMember()]
        for member in members {
            _ = state.checkOut(Waiter(), deadline: .distantFuture)
            _ = state.dialed(member, now: now)
        }
        for member in members { _ = state.checkIn(member, now: now) }
        let waiter = Waiter<FakeMember>()
        let first = given(state.checkOut(waiter, deadline: .distantFuture))
        #expect(first?.0 === members[1] && first?.1 === waiter)
        members[0].close()
        let second = state.checkOut(Waiter(), deadline: .distantFuture)
        // The inactive one still counts until its end is reported, so nothing can be dialled.
        #expect(second == nil)
        guard case .dial? = state.closed(members[0]) else {
            return #expect(Bool(false), "room for a dial")
        }
    }

    @Test("at the limit callers wait in order, and get what is given back")
    func waiting() {
        var state = state(limit: 1)
        let waiters = (0..<3).map { _ in Waiter<FakeMember>() }
        guard case .dial? = state.checkOut(waiters[0], deadline: .distantFuture) else {
            return #expect(Bool(false))
        }
        for waiter in waiters[1...] {
            let action = state.checkOut(waiter, deadline: .distantFuture)
            #expect(action == nil)
        }
        let member = FakeMember()
        let first = given(state.dialed(member, now: now))
        #expect(first?.1 === waiters[0])
        state.cancel(waiters[1])
        let next = given(state.checkIn(member, now: now))
        #expect(next?.1 === waiters[2])
        #expect(
            state.statistics == PoolStatistics(live: 1, idle: 0, dialing: 0, waiting: 0, reused: 0)
        )
    }

    @Test("a failed dial fails the caller who waits longest, and dials again for the next")
    func dialFailure() {
        var state = state(limit: 1)
        let waiters = (0..<2).map { _ in Waiter<FakeMember>() }
        for waiter in waiters { _ = state.checkOut(waiter, deadline: .distantFuture) }
        let actions = state.dialFailed(NetpollError(.connectionRefused, "x"))
        #expect(actions.count == 2)
        guard case .fail(let failed, _) = actions[0], case .dial = actions[1] else {
            return #expect(Bool(false))
        }
        #expect(failed === waiters[0])
    }

    @Test("too many idle ones are closed, and those that are idle too long")
    func idle() {
        var state = state(limit: 3, idle: 1)
        let members = (0..<2).map { _ in FakeMember() }
        for member in members {
            _ = state.checkOut(Waiter(), deadline: .distantFuture)
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
        _ = state.checkOut(Waiter(), deadline: .distantFuture)
        _ = state.checkOut(Waiter(), deadline: now)
        guard case .fail(_, let full)? = state.checkOut(Waiter(), deadline: now) else {
            return #expect(Bool(false))
        }
        #expect(full.code == .limitExceeded)
        guard case .fail(_, let late)? = state.sweep(now: now).actions.first else {
            return #expect(Bool(false))
        }
        #expect(late.code == .timedOut)
        let ended = state.close()
        #expect(ended.count == 1)
        guard case .fail(_, let closed)? = state.checkOut(Waiter(), deadline: now) else {
            return #expect(Bool(false))
        }
        #expect(closed.code == .shutdown)
    }
}
