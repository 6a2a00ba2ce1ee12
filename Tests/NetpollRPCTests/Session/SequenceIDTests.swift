import NetpollTesting
import Testing

@testable import NetpollRPC

/// Duplicate, unknown and late ids, and the wrap at the largest number: none of them may ever reach
/// another call.
@Suite("Sequence ids")
struct SequenceIDTests {
    private typealias State = ClientSessionState<Int>

    @Test("ids wrap from the largest to the smallest number and leave out 0")
    func wrap() {
        let high = SequenceIDs(after: .max - 2)
        let first = (0..<4).map { _ in high.next() }
        #expect(first == [.max - 1, .max, .min, .min + 1])
        let low = SequenceIDs(after: -3)
        let second = (0..<4).map { _ in low.next() }
        #expect(second == [-2, -1, 1, 2])
        let fresh = SequenceIDs()
        #expect(fresh.next() == 1)
    }

    private func call(_ receipt: State.Receipt) -> Int? {
        if case .reply(let call, _) = receipt { call } else { nil }
    }

    @Test("calls on both sides of the wrap get their own replies")
    func repliesAcrossTheWrap() {
        var state = State(limit: 100)
        let ids = SequenceIDs(after: .max - 10)
        var sent: [Int32] = []
        for number in 0..<20 {
            let id = ids.next()
            sent.append(id)
            guard case .send = state.begin(id, deadline: .max, number) else {
                Issue.record("\(id) was refused")
                return
            }
        }
        for (number, id) in sent.enumerated().reversed() {
            #expect(call(state.receive(id, isConnectionReset: false)) == number)
        }
        #expect(state.inFlightCount == 0 && state.lateReplyCount == 0)
    }

    @Test(
        "replies to ids that nobody waits for are counted and dropped",
        arguments: [Int32.min, -1, 1, 2, 99, .max]
    )
    func unknown(id: Int32) {
        var state = State(limit: 10)
        _ = state.begin(50, deadline: .max, 5)
        #expect(call(state.receive(id, isConnectionReset: false)) == nil)
        #expect(state.lateReplyCount == 1 && state.inFlightCount == 1)
        #expect(call(state.receive(50, isConnectionReset: false)) == 5)
    }

    @Test("the second of two replies is dropped, also when a later call is in flight")
    func duplicate() {
        var state = State(limit: 10)
        _ = state.begin(1, deadline: .max, 10)
        _ = state.begin(2, deadline: .max, 20)
        let answered = [1, 1, 2, 1, 2].map { call(state.receive($0, isConnectionReset: false)) }
        #expect(answered == [10, nil, 20, nil, nil])
        #expect(state.lateReplyCount == 3)
    }

    @Test("a late reply reaches nobody, however the call ended")
    func late() {
        var state = State(limit: 10)
        _ = state.begin(1, deadline: 100, 1)
        _ = state.begin(2, deadline: 500, 2)
        _ = state.begin(3, deadline: 500, 3)
        #expect(state.expire(now: 100).expired == [1])
        #expect(state.cancel(2) == 2)
        for id in [1, 2] as [Int32] {
            #expect(call(state.receive(id, isConnectionReset: false)) == nil)
        }
        #expect(state.lateReplyCount == 2)
        #expect(call(state.receive(3, isConnectionReset: false)) == 3)
    }

    @Test("an id that is in flight is not taken twice: the call goes elsewhere")
    func collision() {
        var state = State(limit: 10)
        _ = state.begin(7, deadline: .max, 1)
        guard case .refused = state.begin(7, deadline: .max, 2) else {
            Issue.record("two calls have one id")
            return
        }
        #expect(call(state.receive(7, isConnectionReset: false)) == 1)
        #expect(state.inFlightCount == 0)
    }

    @Test("neither control frames nor replies to 0 end a call")
    func zero() {
        var state = State(limit: 10)
        _ = state.begin(1, deadline: .max, 1)
        for isReset in [false, true, true] {
            guard case .drain(closes: false) = state.receive(0, isConnectionReset: isReset) else {
                Issue.record("a frame with id 0 did something else")
                return
            }
        }
        #expect(state.inFlightCount == 1)
        guard case .reply(1, closes: true) = state.receive(1, isConnectionReset: false) else {
            Issue.record("the last reply of a draining session closes it")
            return
        }
    }

    /// What may end a call, each at most once, in every order.
    private enum Event: CaseIterable { case reply, deadline, cancellation, loss }

    @Test("whatever comes first ends the call, and what follows finds nobody")
    func races() {
        for first in Event.allCases {
            for second in Event.allCases {
                for third in Event.allCases {
                    var state = State(limit: 1)
                    _ = state.begin(.max, deadline: 10, 1)
                    let ends = [first, second, third].flatMap { end(&state, $0) }
                    #expect(ends == [1], "\(first), \(second), \(third)")
                    #expect(state.inFlightCount == 0)
                }
            }
        }
    }

    private func end(_ state: inout State, _ event: Event) -> [Int] {
        switch event {
        case .reply: call(state.receive(.max, isConnectionReset: false)).map { [$0] } ?? []
        case .deadline: state.expire(now: 10).expired
        case .cancellation: state.cancel(.max).map { [$0] } ?? []
        case .loss: state.close().begun
        }
    }

    @Test("a reply at the deadline counts as a reply if it is looked at first", arguments: 0..<200)
    func ties(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var state = State(limit: 50)
        var open: [Int32: Int] = [:]
        let ids = SequenceIDs(after: .max - 25)
        for number in 0..<50 {
            let id = ids.next()
            // Few different deadlines, so that many fall on one moment.
            let deadline = UInt64.random(in: 1...4, using: &random) * 10
            _ = state.begin(id, deadline: deadline, number)
            open[id] = number
        }
        var ended: [Int] = []
        for now in stride(from: UInt64(10), through: 40, by: 10) {
            for id in open.keys.sorted().shuffled(using: &random).prefix(8) {
                if let call = call(state.receive(id, isConnectionReset: false)) {
                    #expect(call == open[id], "seed \(seed)")
                    ended.append(call)
                }
            }
            ended += state.expire(now: now).expired
        }
        #expect(ended.sorted() == Array(0..<50), "seed \(seed)")
        #expect(state.inFlightCount == 0, "seed \(seed)")
    }
}
