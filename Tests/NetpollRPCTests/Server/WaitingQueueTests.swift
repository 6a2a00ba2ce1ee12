import Testing

@testable import NetpollRPC

@Suite("Elements that wait for their turn")
struct WaitingQueueTests {
    private final class Element {
        let number: Int
        init(_ number: Int) { self.number = number }
    }

    @Test("they leave in the order in which they came, however many wait")
    func order() {
        for backlog in [0, 1, 31, 32, 33, 34, 100, 1000] {
            var queue = WaitingQueue<Int>()
            var (appended, popped) = (0, 0)
            for _ in 0..<backlog {
                queue.append(appended)
                appended += 1
            }
            for _ in 0..<3000 {
                queue.append(appended)
                appended += 1
                #expect(queue.popFirst() == popped)
                popped += 1
                #expect(queue.count == backlog)
            }
            for _ in 0..<backlog {
                #expect(!queue.isEmpty)
                #expect(queue.popFirst() == popped)
                popped += 1
            }
            #expect(queue.isEmpty)
            #expect(queue.popFirst() == nil)
        }
    }

    @Test("those that are to leave do, wherever they stand, and the others keep their order")
    func removal() {
        for poppedCount in 0...40 {
            var queue = WaitingQueue<Int>()
            for number in 0..<100 { queue.append(number) }
            for _ in 0..<poppedCount { _ = queue.popFirst() }
            let rest = Array(poppedCount..<100)
            #expect(queue.elements == rest)
            #expect(queue.removeAll { $0 < 0 }.isEmpty)
            #expect(queue.removeAll { $0 % 3 == 0 } == rest.filter { $0 % 3 == 0 })
            let kept = rest.filter { $0 % 3 != 0 }
            #expect(queue.elements == kept)
            #expect(queue.count == kept.count)
            queue.append(100)
            #expect(queue.popFirst() == kept[0])
            #expect(queue.removeAll { _ in true } == kept.dropFirst() + [100])
            #expect(queue.isEmpty)
        }
    }

    @Test("one that has left is let go of, though others wait for ever")
    func release() {
        var queue = WaitingQueue<Element>()
        var keptCount = 0
        for number in 0..<10 { queue.append(Element(number)) }
        for number in 10..<1000 {
            weak var left: Element?
            do {
                let first = queue.popFirst()
                #expect(first?.number == number - 10)
                left = first
            }
            if left != nil { keptCount += 1 }
            queue.append(Element(number))
        }
        #expect(keptCount == 0)
    }
}
