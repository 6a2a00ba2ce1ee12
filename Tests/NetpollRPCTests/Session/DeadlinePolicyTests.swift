import NetpollCore
import Testing

@testable import NetpollRPC

@Suite("DeadlinePolicy")
struct DeadlinePolicyTests {
    private let now = Deadline(uptimeNanoseconds: 5_000_000_000)

    @Test(
        "what the caller asks for counts, within the limit",
        arguments: [
            (nil, nil, nil, nil), (100, nil, nil, 100), (nil, 30, nil, 30), (100, 30, nil, 100),
            (100, nil, 50, 50), (20, nil, 50, 20), (nil, nil, 50, 50), (nil, 80, 50, 50),
            (Int.max, nil, 50, 50),
        ] as [(Int?, Int?, Int?, Int?)]
    )
    func table(asked: Int?, unspecified: Int?, limit: Int?, expected: Int?) {
        let policy = DeadlinePolicy(
            unspecified: unspecified.map { .milliseconds($0) },
            limit: limit.map { .milliseconds($0) }
        )
        let deadline = policy.deadline(milliseconds: asked, now: now)
        #expect(
            deadline == expected.map { now.advanced(by: .milliseconds($0)) } ?? .distantFuture
        )
    }

    @Test("the clock is not asked when there is no deadline")
    func clock() {
        var isAsked = false
        func time() -> Deadline {
            isAsked = true
            return now
        }
        let none = DeadlinePolicy().deadline(milliseconds: nil, now: time())
        #expect(none == .distantFuture && !isAsked)
    }
}
