import NetpollTesting
import Testing

@testable import NetpollCore

@Suite("TimerQueue")
struct TimerQueueTests {
    @Test(
        "timers come out by deadline, and neither cancelled ones nor any twice",
        arguments: 0..<30
    )
    func program(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var queue = TimerQueue<Int>()
        var model: [Int: (deadline: UInt64, token: TimerToken)] = [:]
        var stale: [TimerToken] = []
        var next = 0
        for _ in 0..<1000 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                let deadline = UInt64.random(in: 0...500, using: &random)
                model[next] = (deadline, queue.add(Deadline(uptimeNanoseconds: deadline), next))
                next += 1
            case 2:
                guard let (payload, entry) = model.randomElement(using: &random) else { continue }
                let cancelled = queue.cancel(entry.token)
                #expect(cancelled == payload, "seed \(seed)")
                stale.append(entry.token)
                model[payload] = nil
            default:
                let now = UInt64.random(in: 0...500, using: &random)
                let taken = queue.takeExpired(Deadline(uptimeNanoseconds: now))
                let earliest = model.values.map(\.deadline).min()
                guard let taken else {
                    #expect((earliest ?? .max) > now, "seed \(seed)")
                    continue
                }
                #expect(model[taken]?.deadline == earliest, "seed \(seed)")
                if let token = model.removeValue(forKey: taken)?.token { stale.append(token) }
            }
            for token in stale.suffix(3) {
                let again = queue.cancel(token)
                #expect(again == nil, "seed \(seed)")
            }
            #expect(queue.count == model.count, "seed \(seed)")
        }
    }
}
