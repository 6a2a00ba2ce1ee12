import Testing

@testable import RPCGenCore

@Suite("RangeIndex")
struct RangeIndexTests {
    /// All ranges within 0...4, empty ones too.
    private static let ranges: [(start: Int32, end: Int32)] = (0..<4).flatMap { start in
        (0...4).map { end in (Int32(start), Int32(end)) }
    }

    private func overlap(_ a: (start: Int32, end: Int32), _ b: (start: Int32, end: Int32)) -> Bool {
        max(a.start, b.start) < min(a.end, b.end)
    }

    @Test("of any three ranges, those that overlap are told, and numbers are found")
    func exhaustive() {
        for first in Self.ranges {
            for second in Self.ranges {
                for third in Self.ranges {
                    let all = [first, second, third]
                    let index = RangeIndex(all)
                    check(index, all)
                }
            }
        }
    }

    private func check(_ index: RangeIndex, _ all: [(start: Int32, end: Int32)]) {
        let pairs = [(0, 1), (0, 2), (1, 2)].filter { overlap(all[$0.0], all[$0.1]) }
        #expect(index.overlaps.isEmpty == pairs.isEmpty, "\(all)")
        for pair in index.overlaps {
            #expect(pairs.contains { $0 == (pair.first, pair.second) }, "\(all)")
        }
        guard pairs.isEmpty else { return }
        for number in Int32(-1)...5 {
            let expected = all.firstIndex { $0.start <= number && number < $0.end }
            #expect(index.position(of: Int64(number)) == expected, "\(number) in \(all)")
        }
        for range in Self.ranges {
            let found = index.position(meeting: range.start, range.end)
            #expect((found != nil) == all.contains { overlap($0, range) }, "\(range) in \(all)")
        }
    }
}
