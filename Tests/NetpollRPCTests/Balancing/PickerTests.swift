import NetpollCore
import NetpollTesting
import Testing

@testable import NetpollRPC

@Suite("Picker")
struct PickerTests {
    private func endpoints(_ weights: [Int]) -> [Endpoint] {
        weights.enumerated().map { number, weight in
            Endpoint(.tcp(host: "10.0.0.\(number)", port: 1), weight: weight)
        }
    }

    private func counts(_ picker: inout Picker, _ count: Int, of size: Int) -> [Int] {
        var counts = Array(repeating: 0, count: size)
        for _ in 0..<count {
            if let index = picker.pick(key: nil, isUsable: { _ in true }, inFlight: { _ in 0 }) {
                counts[index] += 1
            }
        }
        return counts
    }

    @Test("round robin is even, and skips what cannot be used")
    func roundRobin() {
        var picker = Picker(.roundRobin, endpoints([1, 1, 1]), seed: 1)
        let even = counts(&picker, 300, of: 3)
        #expect(even == [100, 100, 100])
        for _ in 0..<10 {
            let index = picker.pick(key: nil, isUsable: { $0 == 2 }, inFlight: { _ in 0 })
            #expect(index == 2)
        }
        let none = picker.pick(key: nil, isUsable: { _ in false }, inFlight: { _ in 0 })
        #expect(none == nil)
    }

    @Test("weighted round robin follows the weights and does not clump")
    func weighted() {
        var picker = Picker(.weightedRoundRobin, endpoints([5, 1, 1]), seed: 1)
        var order: [Int] = []
        for _ in 0..<7 {
            order.append(
                picker.pick(key: nil, isUsable: { _ in true }, inFlight: { _ in 0 }) ?? -1
            )
        }
        #expect(order == [0, 0, 1, 0, 2, 0, 0])
    }

    @Test("of two the one with fewer calls for its weight is chosen")
    func leastInFlight() {
        var picker = Picker(.leastInFlight, endpoints([1, 1]), seed: 7)
        for _ in 0..<50 {
            let index = picker.pick(
                key: nil,
                isUsable: { _ in true },
                inFlight: { $0 == 0 ? 9 : 1 }
            )
            #expect(index == 1)
        }
        var even = Picker(.leastInFlight, endpoints([1, 1, 1, 1]), seed: 7)
        let spread = counts(&even, 4000, of: 4)
        #expect(spread.allSatisfy { (800...1200).contains($0) }, "\(spread)")
    }

    @Test("a key stays with its endpoint, and one that leaves moves its own keys only")
    func consistentHash() {
        let all = endpoints([1, 1, 1, 1, 1])
        var before = Picker(.consistentHash(), all, seed: 1)
        var after = Picker(.consistentHash(), Array(all.dropLast()), seed: 2)
        var counts = Array(repeating: 0, count: 5)
        for number in 0..<10_000 {
            let key = "key-\(number)"
            let old = before.pick(key: key, isUsable: { _ in true }, inFlight: { _ in 0 })
            let new = after.pick(key: key, isUsable: { _ in true }, inFlight: { _ in 0 })
            if let old { counts[old] += 1 }
            if old != 4 { #expect(old == new) }
        }
        #expect(counts.allSatisfy { (1400...2700).contains($0) }, "\(counts)")
    }
}

@Suite("BalancerState")
struct BalancerStateTests {
    private let start = Deadline(uptimeNanoseconds: 1_000_000_000_000)
    private let method = BalancerState<Int>.MethodKey(
        MethodDescriptor(service: "S", package: "", name: "m")
    )
    private let other = BalancerState<Int>.MethodKey(
        MethodDescriptor(service: "S", package: "", name: "n")
    )
    private let refused = NetpollError(.connectionRefused, "dial")

    private func make(_ count: Int) -> BalancerState<Int> {
        var state = BalancerState<Int>(
            .roundRobin,
            breakers: CircuitBreakerOptions(),
            dialBackOff: BackOff(),
            endpointLimit: 100,
            seed: 5
        )
        _ = state.update(list(0..<count)) { _, id in id }
        return state
    }

    private func list(_ numbers: Range<Int>) -> [Endpoint] {
        numbers.map { Endpoint(.tcp(host: "10.0.0.\($0)", port: 1)) }
    }

    private func picks(_ state: inout BalancerState<Int>, _ count: Int, _ now: Deadline) -> Set<Int>
    {
        var seen: Set<Int> = []
        for _ in 0..<count {
            guard let pick = state.pick(method, key: nil, excluding: [], now: now) else { continue }
            seen.insert(pick.id)
            state.ended(pick, method, .success, now: now)
        }
        return seen
    }

    private func fail(
        _ state: inout BalancerState<Int>,
        _ bad: Set<Int>,
        _ result: CallResult,
        _ now: Deadline
    ) {
        for _ in 0..<2000 {
            guard let pick = state.pick(method, key: nil, excluding: [], now: now) else { return }
            state.ended(pick, method, bad.contains(pick.id) ? result : .success, now: now)
        }
    }

    @Test("an endpoint whose method fails is left out for that method, and probed back")
    func ejection() {
        var state = make(3)
        fail(&state, [0], .failure, start)
        #expect(picks(&state, 30, start) == [1, 2])
        var forOther: Set<Int> = []
        for _ in 0..<3 {
            if let pick = state.pick(other, key: nil, excluding: [], now: start) {
                forOther.insert(pick.id)
            }
        }
        #expect(forOther == [0, 1, 2], "another method is not concerned")
        #expect(picks(&state, 30, start.advanced(by: .seconds(6))) == [0, 1, 2])
    }

    @Test("no more than the share is left out, however many are bad", arguments: [1, 2, 3, 4, 5])
    func cap(count: Int) {
        var state = make(count)
        fail(&state, Set(0..<count), .failure, start)
        #expect(picks(&state, 100, start).count == count - count / 2)
    }

    @Test("time-outs in a row eject for all methods")
    func stopped() {
        var state = make(2)
        fail(&state, [1], .timeout, start)
        #expect(picks(&state, 10, start) == [0])
        let pick = state.pick(other, key: nil, excluding: [], now: start)
        #expect(pick?.id == 0)
    }

    @Test("an unreachable endpoint is left out until a probe finds it; when all are, all are used")
    func unreachable() {
        var state = make(2)
        state.dialed(0, refused, now: start)
        #expect(picks(&state, 10, start) == [1])
        let early = state.probes(now: start)
        #expect(early == [])
        let later = start.advanced(by: .seconds(1))
        let due = state.probes(now: later)
        let again = state.probes(now: later)
        #expect(due == [0] && again == [], "one probe at a time")
        state.dialed(1, refused, now: later)
        #expect(picks(&state, 10, later) == [0, 1])
        state.dialed(0, nil, now: later)
        #expect(picks(&state, 10, later) == [0])
    }

    @Test("a new list keeps who stays, gives back who left, and an empty one changes nothing")
    func lists() {
        var state = make(3)
        var begun = (0..<3).compactMap { _ in
            state.pick(method, key: nil, excluding: [], now: start)
        }
        begun.removeAll { $0.id != 0 }
        let left = state.update(list(1..<4)) { _, id in id }
        #expect(left == [0] && begun.count == 1)
        #expect(state.members == [1, 2, 3])
        let none = state.update([]) { _, id in id }
        #expect(none == [] && state.members == [1, 2, 3])
        // A call that began before its endpoint left may end after.
        for pick in begun { state.ended(pick, method, .success, now: start) }
        let doubled = state.update(list(1..<4) + list(1..<4)) { _, id in id }
        #expect(doubled == [] && state.members.count == 3)
    }

    @Test("turns go on when the same endpoints are published again, in whatever order")
    func unchanged() {
        var state = make(3)
        var counts = [0, 0, 0]
        for number in 0..<30 {
            let same = number % 2 == 0 ? list(0..<3) : list(0..<3).reversed()
            let left = state.update(same) { _, id in id }
            #expect(left == [])
            if let pick = state.pick(method, key: nil, excluding: [], now: start) {
                counts[pick.id] += 1
            }
        }
        #expect(counts == [10, 10, 10])
        // Another weight is another list.
        var heavy = list(0..<3)
        heavy[1].weight = 5
        _ = state.update(heavy) { _, id in id }
        #expect(state.statistics.map(\.endpoint.weight) == [1, 5, 1])
    }

    @Test("calls that began before an endpoint was left out say nothing of how it is since")
    func earlierCalls() {
        var state = make(2)
        // They hang at endpoint 1 while others there run into their deadlines.
        var hanging: [BalancerState<Int>.Pick] = []
        for _ in 0..<20 {
            guard let pick = state.pick(method, key: nil, excluding: [], now: start) else {
                continue
            }
            if pick.id == 1 { hanging.append(pick) }
        }
        fail(&state, [1], .timeout, start)
        #expect(picks(&state, 10, start) == [0] && hanging.count == 10)
        let later = start.advanced(by: .seconds(5))
        var probe: BalancerState<Int>.Pick?
        for _ in 0..<2 where probe == nil {
            let pick = state.pick(method, key: nil, excluding: [], now: later)
            if pick?.id == 1 { probe = pick }
        }
        // Successes do not close the breaker, and time-outs do not open it again.
        for pick in hanging.prefix(5) { state.ended(pick, method, .success, now: later) }
        #expect(state.statistics[1].isEjected)
        for pick in hanging.suffix(5) { state.ended(pick, method, .timeout, now: later) }
        for _ in 0..<2 {
            if let probe { state.ended(probe, method, .success, now: later) }
            probe = state.pick(method, key: nil, excluding: [0], now: later)
            #expect(probe?.id == 1)
        }
        #expect(!state.statistics[1].isEjected)
    }

    @Test("attempts of a call go where none of them went, as long as there is such a place")
    func visited() {
        var state = make(3)
        var visited: [Int] = []
        for _ in 0..<4 {
            let pick = state.pick(method, key: nil, excluding: [], avoiding: visited, now: start)
            if let pick { visited.append(pick.id) }
        }
        #expect(Set(visited.prefix(3)) == [0, 1, 2] && visited.count == 4)
        state.dialed(0, refused, now: start)
        let good = state.pick(method, key: nil, excluding: [], avoiding: [1, 2], now: start)
        #expect(good?.id != 0, "one that was visited rather than one that cannot be reached")
    }

    @Test("further attempts take nobody's turn")
    func turns() {
        var state = make(2)
        var first = [0, 0]
        for _ in 0..<100 {
            guard let pick = state.pick(method, key: nil, excluding: [], now: start) else {
                continue
            }
            first[pick.id] += 1
            let next = state.pick(method, key: nil, excluding: [], avoiding: [pick.id], now: start)
            #expect(next?.id == 1 - pick.id)
        }
        #expect(first == [50, 50])
    }

    @Test("what was tried is not chosen again")
    func excluded() {
        var state = make(2)
        let first = state.pick(method, key: nil, excluding: [0], now: start)
        let second = state.pick(method, key: nil, excluding: [0, 1], now: start)
        #expect(first?.id == 1 && second == nil)
    }

    @Test("a further attempt goes to an endpoint that had none, if there is a good one")
    func avoided() {
        var state = make(3)
        for _ in 0..<10 {
            let pick = state.pick(method, key: nil, excluding: [], avoiding: [0, 2], now: start)
            #expect(pick?.id == 1)
        }
        state.dialed(1, refused, now: start)
        let again = state.pick(method, key: nil, excluding: [], avoiding: [0, 2], now: start)
        #expect(again?.id == 0 || again?.id == 2)
    }

    @Test("a later priority is for when no earlier one can take calls, even those used before")
    func priorities() {
        var state = make(0)
        let list = (0..<4).map {
            Endpoint(.tcp(host: "10.0.0.\($0)", port: 1), priority: $0 < 2 ? 1 : 2)
        }
        _ = state.update(list) { _, id in id }
        #expect(picks(&state, 20, start) == [0, 1])
        let retry = state.pick(method, key: nil, excluding: [], avoiding: [0, 1], now: start)
        #expect(retry.map { $0.id < 2 } == true)
        state.dialed(0, refused, now: start)
        #expect(picks(&state, 20, start) == [1])
        state.dialed(1, refused, now: start)
        #expect(picks(&state, 20, start) == [2, 3])
        let spare = state.pick(method, key: nil, excluding: [2, 3], now: start)
        #expect(spare.map { $0.id < 2 } == true, "when all else was tried, what cannot be reached")
        state.dialed(0, nil, now: start)
        #expect(picks(&state, 20, start) == [0])
    }
}
