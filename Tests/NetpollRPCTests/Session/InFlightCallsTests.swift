import NetpollTesting
import TestSupport
import Testing

@testable import NetpollRPC

@Suite("InFlightCalls")
struct InFlightCallsTests {
    private struct Entry {
        let call: Int
        let deadline: UInt64
        var position: UInt64 = 0
    }

    @Test("it is a dictionary with deadlines, however it grows and shrinks", arguments: 0..<8)
    func program(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var calls = InFlightCalls<Int>()
        var model: [Int32: Entry] = [:]
        // Ids that cross the border from the largest to the smallest number.
        var next = Int32.max - 1000
        var now: UInt64 = 0
        for _ in 0..<150 {
            let some = model.keys.randomElement(using: &random) ?? next
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1:
                for _ in 0..<Int.random(in: 1...500, using: &random) {
                    next &+= 1
                    let deadline = now + UInt64.random(in: 1...500, using: &random)
                    let call = Int(next)
                    let isNew = calls.insert(next, deadline: deadline, call)
                    let isTwice = calls.insert(next, deadline: deadline, call)
                    #expect(isNew && !isTwice, "seed \(seed)")
                    model[next] = Entry(call: call, deadline: deadline)
                }
            case 2:
                calls.setPosition(UInt64(now + 1), of: some)
                model[some]?.position = now + 1
            case 3:
                for id in Array(model.keys.prefix(Int.random(in: 1...600, using: &random))) {
                    let removed = calls.remove(id)
                    #expect(removed == model.removeValue(forKey: id)?.call, "seed \(seed)")
                }
                let none = calls.remove(next &+ 5)
                #expect(none == nil)
            default:
                now += UInt64.random(in: 0...100, using: &random)
                let result = calls.removeExpired(now)
                let expired = model.filter { $0.value.deadline <= now }
                for id in expired.keys { model[id] = nil }
                let expected = expired.values.sorted { $0.deadline < $1.deadline }
                #expect(Set(result.expired) == Set(expected.map(\.call)), "seed \(seed)")
                #expect(result.expired.count == expected.count, "seed \(seed)")
                #expect(result.next == model.values.map(\.deadline).min(), "seed \(seed)")
            }
            #expect(calls.count == model.count, "seed \(seed)")
        }
        let left = calls.removeAll(unsentFrom: 1)
        let (unsent, begun) = (
            model.values.filter { $0.position > 0 }, model.values.filter { $0.position == 0 }
        )
        #expect(left.unsent.sorted() == unsent.map(\.call).sorted(), "seed \(seed)")
        #expect(left.begun.sorted() == begun.map(\.call).sorted(), "seed \(seed)")
    }

    @Test("a table that was large gives its memory back, and a small one keeps its own")
    func shrinking() {
        var calls = InFlightCalls<Int>()
        for id in 1...20_000 { _ = calls.insert(Int32(id), deadline: UInt64(id), id) }
        #expect(calls.capacity >= 40_000)
        for id in 1...10_000 { _ = calls.remove(Int32(id)) }
        _ = calls.removeExpired(20_000)
        #expect(calls.count == 0 && calls.capacity <= 1024)
        let kept = calls.capacity
        for _ in 0..<3 {
            for id in 1...100 { _ = calls.insert(Int32(id), deadline: .max, id) }
            for id in 1...100 { _ = calls.remove(Int32(id)) }
        }
        #expect(calls.capacity == kept)
    }

    @Test("deadlines of calls that ended long before them are not kept")
    func ended() {
        var calls = InFlightCalls<Int>()
        for id in 1...10 { _ = calls.insert(Int32(id), deadline: UInt64(id * 1_000_000), id) }
        let none = calls.removeExpired(0)
        #expect(none.expired == [] && none.next == 1_000_000 && calls.nearCount == 2)
        // Each of these is nearer than what was looked for last.
        for id in 11...50_000 {
            _ = calls.insert(Int32(id), deadline: 1_000_000, id)
            _ = calls.remove(Int32(id))
            #expect(calls.nearCount <= 2 * 11 + 1024)
        }
        let all = calls.removeExpired(10_000_000)
        #expect(all.expired == Array(1...10) && all.next == nil)
    }

    /// The processor time of so many calls that expire one after another in a table of `count`.
    private func milliseconds(ofExpiring expiring: Int, among count: Int) -> Int {
        var calls = InFlightCalls<Int>()
        for id in 1...count { _ = calls.insert(Int32(id), deadline: UInt64(id), id) }
        let start = ProcessState.threadUsage.milliseconds
        for now in 1...expiring {
            let result = calls.removeExpired(UInt64(now))
            #expect(result.expired == [now] && result.next == UInt64(now + 1))
        }
        return ProcessState.threadUsage.milliseconds - start
    }

    @Test("what a call that expires costs does not grow with the calls that do not")
    func expiry() {
        let few = milliseconds(ofExpiring: 1000, among: 2000)
        let many = milliseconds(ofExpiring: 1000, among: 64_000)
        #expect(many <= 8 * few + 50, "\(few) ms among 2,000 calls, \(many) ms among 64,000")
    }
}
