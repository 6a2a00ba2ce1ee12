import NetpollTesting
import Synchronization
import Testing

@testable import NetpollCore

/// A pool member without a socket.
private final class FakeMember: Poolable, PoolMember {
    private let active = Atomic(true)
    let endedWithoutUse: Bool
    init(endedWithoutUse: Bool = false) { self.endedWithoutUse = endedWithoutUse }
    var isActive: Bool { active.load(ordering: .relaxed) }
    func close() { active.store(false, ordering: .relaxed) }
    func onInactive(_ body: @escaping @Sendable () -> Void) {}
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

    private func given(_ actions: [State.Action]) -> (FakeMember, Waiter<FakeMember>)? {
        if case .give(let member, let waiter)? = actions.last { (member, waiter) } else { nil }
    }

    /// What a list of actions does, in short.
    private func names(_ actions: [State.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .give: "give"
            case .fail(_, let error): "fail \(error.code)"
            case .dial: "dial"
            case .close: "close"
            }
        }
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
        let second = names(state.checkOut(Waiter(), deadline: .distantFuture, now: now))
        // The inactive one still counts until its end is reported, so nothing can be dialled.
        #expect(second == ["close"])
        #expect(names(state.closed(members[0], now: now)) == ["dial"])
    }

    @Test("an idle connection whose peer has gone is closed at once, a lent one when it comes back")
    func inactive() {
        var state = state()
        let members = [FakeMember(), FakeMember()]
        for member in members {
            _ = state.checkOut(Waiter(), deadline: .distantFuture, now: now)
            _ = state.dialed(member, now: now)
        }
        _ = state.checkIn(members[0], now: now)
        for member in members { member.close() }
        #expect(names(state.becameInactive(members[0], now: now)) == ["close"])
        #expect(state.statistics.idle == 0 && state.statistics.live == 2)
        #expect(state.becameInactive(members[1], now: now).isEmpty)
        #expect(names(state.checkIn(members[1], now: now)) == ["close"])
        for member in members { _ = state.closed(member, now: now) }
        #expect(state.statistics.live == 0)
    }

    @Test("a connection that is given back twice is lent once")
    func twice() {
        var state = state()
        let member = FakeMember()
        _ = state.checkOut(Waiter(), deadline: .distantFuture, now: now)
        _ = state.dialed(member, now: now)
        #expect(state.checkIn(member, now: now).isEmpty)
        #expect(state.checkIn(member, now: now).isEmpty)
        #expect(state.statistics.idle == 1)
        #expect(names(state.checkOut(Waiter(), deadline: .distantFuture, now: now)) == ["give"])
        #expect(names(state.checkOut(Waiter(), deadline: .distantFuture, now: now)) == ["dial"])
    }

    @Test("a server that accepts and closes is dialled as rarely as one that refuses")
    func acceptAndClose() {
        var options = PoolOptions()
        options.minimumIdle = 1
        var state = PoolState<FakeMember>(options: options, seed: 1)
        #expect(names(state.warmUp(now: now)) == ["dial"])
        var time = now
        for _ in 0..<3 {
            let member = FakeMember()
            #expect(state.dialed(member, now: time).isEmpty)
            member.close()
            #expect(names(state.becameInactive(member, now: time)) == ["close"])
            #expect(state.closed(member, now: time).isEmpty, "a dial without a back-off")
            let retry = state.retry
            #expect((retry ?? time) > time)
            time = retry ?? time
            #expect(names(state.sweep(now: time).actions) == ["dial"])
        }
    }

    @Test(
        "callers of a server that accepts, takes a request and closes wait for the back-off too",
        arguments: [false, true]
    )
    func acceptAndCloseOnCallers(isToldFirst: Bool) {
        var state = state(limit: 1)
        for round in 1...2 {
            #expect(
                names(state.checkOut(Waiter(), deadline: .distantFuture, now: now)) == ["dial"],
                "the first may have met a server that was about to end"
            )
            let member = FakeMember(endedWithoutUse: true)
            #expect(names(state.dialed(member, now: now)) == ["give"])
            member.close()
            // The news of the end and the caller that gives the member back come in either order.
            if isToldFirst { #expect(state.closed(member, now: now).isEmpty) }
            let actions = names(state.checkIn(member, now: now))
            #expect(actions == (isToldFirst ? [] : ["close"]), "round \(round)")
            if !isToldFirst { #expect(state.closed(member, now: now).isEmpty) }
        }
        #expect(
            names(state.checkOut(Waiter(), deadline: .distantFuture, now: now)) == [
                "fail connectionReset"
            ]
        )
        // 80 ms and a fifth at most.
        let later = now.advanced(by: .milliseconds(97))
        #expect(names(state.checkOut(Waiter(), deadline: .distantFuture, now: later)) == ["dial"])
    }

    @Test("who waits for a lent connection during a back-off is dialled for at its end")
    func waitingDuringBackOff() {
        var state = state()
        let waiters = (0..<3).map { _ in Waiter<FakeMember>() }
        let member = FakeMember()
        _ = state.checkOut(waiters[0], deadline: .distantFuture, now: now)
        _ = state.dialed(member, now: now)
        #expect(names(state.checkOut(waiters[1], deadline: .distantFuture, now: now)) == ["dial"])
        #expect(names(state.dialFailed(refused, now: now)) == ["fail connectionRefused"])
        #expect(state.checkOut(waiters[2], deadline: .distantFuture, now: now).isEmpty)
        let retry = state.retry
        #expect(retry.map { names(state.sweep(now: $0).actions) } == ["dial"])
        // Without the lent one nothing is left to wait for.
        #expect(names(state.dialFailed(refused, now: now)) == ["fail connectionRefused"])
        _ = state.checkOut(waiters[2], deadline: .distantFuture, now: now)
        #expect(names(state.closed(member, now: now)) == ["fail connectionRefused"])
    }

    @Test("a minimum beyond the shared budget dials nothing")
    func minimumBeyondBudget() {
        var options = PoolOptions()
        options.minimumIdle = 2
        options.idleBudget = IdleBudget(limit: 1)
        var state = PoolState<FakeMember>(options: options, seed: 1)
        let count = state.warmUp(now: now).count
        let members = (0..<count).map { _ in FakeMember() }
        var actions: [String] = []
        for member in members { actions += names(state.dialed(member, now: now)) }
        #expect(actions.filter { $0 == "dial" }.isEmpty)
        #expect(state.statistics.idle == 1)
    }

    @Test("at the limit callers wait in order, and get what is given back")
    func waiting() {
        var state = state(limit: 1)
        let waiters = (0..<3).map { _ in Waiter<FakeMember>() }
        #expect(names(state.checkOut(waiters[0], deadline: .distantFuture, now: now)) == ["dial"])
        for waiter in waiters[1...] {
            #expect(state.checkOut(waiter, deadline: .distantFuture, now: now).isEmpty)
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

    @Test("an idle member is lent at once, unless it has ended")
    func idleAtOnce() {
        var state = state()
        #expect(state.checkOutIdle() == nil)
        let member = FakeMember()
        _ = state.checkOut(Waiter(), deadline: .distantFuture, now: now)
        _ = state.dialed(member, now: now)
        #expect(state.checkOutIdle() == nil)
        _ = state.checkIn(member, now: now)
        #expect(state.checkOutIdle() === member)
        #expect(state.checkOutIdle() == nil && state.statistics.idle == 0)
        _ = state.checkIn(member, now: now)
        member.close()
        #expect(state.checkOutIdle() == nil)
    }

    @Test("a failed dial fails all who wait, and nobody dials again until the back-off has passed")
    func dialFailure() {
        var state = state(limit: 1)
        let waiters = (0..<2).map { _ in Waiter<FakeMember>() }
        for waiter in waiters { _ = state.checkOut(waiter, deadline: .distantFuture, now: now) }
        let failed = state.dialFailed(refused, now: now).compactMap { action in
            if case .fail(let waiter, let error) = action, error == refused { waiter } else { nil }
        }
        #expect(failed.map(ObjectIdentifier.init) == waiters.map(ObjectIdentifier.init))
        #expect(
            names(state.checkOut(Waiter(), deadline: .distantFuture, now: now)) == [
                "fail connectionRefused"
            ]
        )
        // 50 ms and a fifth at most.
        let later = now.advanced(by: .milliseconds(61))
        #expect(names(state.checkOut(Waiter(), deadline: .distantFuture, now: later)) == ["dial"])
    }

    @Test("an address that has answered before gets one more try at once")
    func forgiven() {
        var state = state(limit: 1)
        _ = state.checkOut(Waiter(), deadline: .distantFuture, now: now)
        let member = FakeMember()
        _ = state.dialed(member, now: now)
        _ = state.closed(member, now: now)
        for _ in 0..<2 { _ = state.checkOut(Waiter(), deadline: .distantFuture, now: now) }
        #expect(
            names(state.dialFailed(refused, now: now)) == ["fail connectionRefused", "dial"]
        )
        let second = state.dialFailed(refused, now: now)
        #expect(second.count == 1 && state.statistics.failedDials == 2)
    }

    @Test("the back-off grows by its factor to its limit, within the jitter")
    func backOff() {
        let backOff = BackOff()
        #expect(backOff.delay(after: 1, random: 0.5) == .milliseconds(50))
        #expect(backOff.delay(after: 2, random: 0.5) == .milliseconds(80))
        #expect(backOff.delay(after: 1, random: 0) == .milliseconds(40))
        #expect(backOff.delay(after: .max, random: 0.5) == .milliseconds(500))
    }

    // Row B5: how often a dead address is dialled, and how soon a live one is found again.
    @Test("callers without end dial a dead address some thirty times in ten seconds")
    func boundedDials() {
        for seed in UInt64(0)..<20 {
            var state = PoolState<FakeMember>(options: PoolOptions(), seed: seed)
            let error = NetpollError(.connectionRefused, "dial")
            var dials: [Int] = []
            for millisecond in 0..<10_000 {
                let time = now.advanced(by: .milliseconds(millisecond))
                let actions = names(
                    state.checkOut(Waiter(), deadline: .distantFuture, now: time)
                )
                guard actions.contains("dial") else {
                    #expect(actions == ["fail connectionRefused"], "nobody waits for a dead server")
                    continue
                }
                dials.append(millisecond)
                _ = state.dialFailed(error, now: time)
            }
            #expect(dials.count >= 10_000 / 601 && dials.count <= 34, "seed \(seed): \(dials)")
            let pauses = zip(dials.dropFirst(), dials).map { $0 - $1 }
            #expect(pauses.max() ?? 0 <= 601, "seed \(seed): \(pauses)")
        }
    }

    @Test("clients that lose a server together come back spread over the jitter")
    func spread() throws {
        var counts = [Int](repeating: 0, count: 10)
        for seed in UInt64(0)..<500 {
            var backOff = DialBackOff(BackOff(), seed: seed)
            for _ in 0..<10 { backOff.failed(NetpollError(.connectionRefused, "dial"), now: now) }
            let end = try #require(backOff.end?.deadline)
            // 500 ms, give or take a fifth: ten parts of 20 ms.
            let part = end.timeRemaining(from: now.advanced(by: .milliseconds(400)))
            counts[min(9, part.wholeMilliseconds / 20)] += 1
        }
        #expect(counts.min() ?? 0 >= 25 && counts.max() ?? 0 <= 100, "\(counts)")
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
        // One is lent, so another is dialled; one is lost unused, which is no reason to hurry.
        #expect(
            names(state.checkOut(Waiter(), deadline: .distantFuture, now: now)) == ["give", "dial"]
        )
        _ = state.dialed(members[2], now: now)
        #expect(state.closed(members[1], now: now).isEmpty)
        #expect(names(state.closed(members[0], now: now)) == ["dial"], "forgiven once")
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
        #expect(states[0].checkIn(members[0], now: now).isEmpty)
        #expect(names(states[1].checkIn(members[1], now: now)) == ["close"])
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
        #expect(state.checkIn(members[0], now: now).isEmpty)
        guard case .close(let surplus)? = state.checkIn(members[1], now: now).first else {
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
        guard case .fail(_, let full)? = state.checkOut(Waiter(), deadline: now, now: now).last
        else {
            return #expect(Bool(false))
        }
        #expect(full.code == .limitExceeded)
        guard case .fail(_, let late)? = state.sweep(now: now).actions.first else {
            return #expect(Bool(false))
        }
        #expect(late.code == .timedOut)
        let ended = state.close()
        #expect(ended.count == 1)
        guard case .fail(_, let closed)? = state.checkOut(Waiter(), deadline: now, now: now).last
        else {
            return #expect(Bool(false))
        }
        #expect(closed.code == .shutdown)
    }
}
