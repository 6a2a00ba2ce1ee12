import NetpollTesting
import Testing

@testable import NetpollRPC

@Suite("ClientSessionState")
struct ClientSessionStateTests {
    private func reply(_ receipt: ClientSessionState<Int>.Receipt) -> Int? {
        if case .reply(let call, _) = receipt { call } else { nil }
    }

    @Test("replies find their calls in any order, and each only once")
    func order() {
        var state = ClientSessionState<Int>(limit: 10)
        for id in 1...3 { _ = state.begin(Int32(id), deadline: .max, id * 10) }
        let replies = [2, 1, 2, 99].map { reply(state.receive($0, isConnectionReset: false)) }
        #expect(replies == [20, 10, nil, nil])
        #expect(state.inFlightCount == 1 && state.lateReplyCount == 2)
    }

    @Test("the timer is asked for when a deadline is the earliest, and only then")
    func timers() {
        var state = ClientSessionState<Int>(limit: 10)
        guard case .send(timer: 100) = state.begin(1, deadline: 100, 1) else {
            return #expect(Bool(false), "no timer")
        }
        guard case .send(timer: nil) = state.begin(2, deadline: 200, 2) else {
            return #expect(Bool(false), "a timer")
        }
        guard case .send(timer: 50) = state.begin(3, deadline: 50, 3) else {
            return #expect(Bool(false), "no timer")
        }
        let first = state.expire(now: 50)
        #expect(first.expired == [3] && first.next == 100)
        _ = state.receive(1, isConnectionReset: false)
        let second = state.expire(now: 100)
        #expect(second.expired == [] && second.next == 200)
        let third = state.expire(now: 1000)
        #expect(third.expired == [2] && third.next == nil)
    }

    @Test("a session at its limit takes no call, and none after it was closed or drained")
    func admission() {
        var state = ClientSessionState<Int>(limit: 1)
        _ = state.begin(1, deadline: .max, 1)
        guard case .full = state.begin(2, deadline: .max, 2) else {
            return #expect(Bool(false), "not full")
        }
        let isEmpty = state.drain()
        #expect(!isEmpty)
        guard case .refused = state.begin(3, deadline: .max, 3) else {
            return #expect(Bool(false), "taken")
        }
        guard case .reply(1, closes: true) = state.receive(1, isConnectionReset: false) else {
            return #expect(Bool(false), "the last reply closes a drained session")
        }
        let left = state.close()
        #expect(left.begun == [] && left.unsent == [])
    }

    @Test("a control frame drains; one without the mark does not")
    func control() {
        var state = ClientSessionState<Int>(limit: 10)
        _ = state.begin(1, deadline: .max, 1)
        guard case .drain(closes: false) = state.receive(0, isConnectionReset: false) else {
            return #expect(Bool(false))
        }
        #expect(state.acceptsCalls)
        guard case .drain(closes: false) = state.receive(0, isConnectionReset: true) else {
            return #expect(Bool(false))
        }
        #expect(!state.acceptsCalls)
        let cancelled = state.cancel(1)
        #expect(cancelled == 1 && state.isDrained)
    }

    @Test("after so many spans without a call no more are taken; a call begins the count again")
    func spans() {
        var state = ClientSessionState<Int>(limit: 10)
        func pass() -> Bool { state.spanPassed(3) }
        _ = state.begin(1, deadline: .max, 1)
        // In flight all the time, and in the beginning of the last span.
        #expect((0..<10).map { _ in pass() }.allSatisfy { !$0 })
        _ = state.receive(1, isConnectionReset: false)
        #expect([pass(), pass(), pass()] == [false, false, false] && state.acceptsCalls)
        // One that begins and ends between two looks.
        _ = state.begin(2, deadline: .max, 2)
        _ = state.cancel(2)
        #expect([pass(), pass(), pass()] == [false, false, false] && state.acceptsCalls)
        #expect(pass() && !state.acceptsCalls)
        guard case .refused = state.begin(3, deadline: .max, 3) else {
            return #expect(Bool(false), "taken")
        }
    }

    @Test("at the end of a connection calls whose requests were not sent are told apart")
    func unsent() {
        var state = ClientSessionState<Int>(limit: 100)
        // Enough to make the table grow under them.
        for id in 1...40 { _ = state.begin(Int32(id), deadline: .max, id) }
        for id in 21...40 { state.wait(Int32(id), at: UInt64(id * 100)) }
        state.wait(99, at: 5000)
        for id in 41...80 { _ = state.begin(Int32(id), deadline: .max, id) }
        _ = state.cancel(40)
        let (begun, unsent) = state.close(unsentFrom: 3001)
        #expect(unsent.sorted() == Array(31...39))
        #expect(begun.sorted() == Array(1...30) + Array(41...80))
    }

    @Test("every call ends exactly once, whatever happens", arguments: 0..<50)
    func program(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var state = ClientSessionState<Int32>(limit: 40)
        var open = Set<Int32>()
        var now: UInt64 = 0
        // Ids that cross the border from the largest to the smallest number.
        var next = Int32.max - 100
        func ended(_ calls: [Int32]) {
            for call in calls { #expect(open.remove(call) != nil, "seed \(seed)") }
        }
        for _ in 0..<2000 {
            now += UInt64.random(in: 0...3, using: &random)
            let some = open.randomElement(using: &random) ?? next &- 7
            switch Int.random(in: 0..<8, using: &random) {
            case 0...3:
                next &+= 1
                if case .send = state.begin(
                    next,
                    deadline: now + UInt64.random(in: 1...50, using: &random),
                    next
                ) {
                    open.insert(next)
                }
            case 4:
                if case .reply(let call, _) = state.receive(some, isConnectionReset: false) {
                    ended([call])
                }
            case 5: ended(state.cancel(some).map { [$0] } ?? [])
            default: ended(state.expire(now: now).expired)
            }
            #expect(state.inFlightCount == open.count, "seed \(seed)")
        }
        let left = state.close()
        ended(left.begun + left.unsent)
        #expect(open.isEmpty, "seed \(seed)")
    }
}
