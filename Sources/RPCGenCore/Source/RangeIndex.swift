/// Half-open ranges of numbers, to ask which one holds a number and which ones overlap, without
/// comparing all with all.
struct RangeIndex {
    fileprivate struct Entry {
        let start: Int64
        /// The first number behind the range.
        let end: Int64
        /// The position of the range in its declaration.
        let position: Int
    }

    static let empty = RangeIndex([Entry]())

    private let sorted: [Entry]
    /// Pairs of overlapping ranges by position, the one declared first in front.
    ///
    /// Of many ranges that overlap in one place not every pair is there, but at least one for each
    /// range.
    let overlaps: [(first: Int, second: Int)]

    /// Empty ranges hold nothing and overlap nothing.
    private init(_ entries: [Entry]) {
        sorted = entries.filter { $0.start < $0.end }.sorted { $0.start < $1.start }
        var pairs: [(Int, Int)] = []
        var reach: Entry?
        for entry in sorted {
            if let last = reach, entry.start < last.end {
                pairs.append(
                    (min(last.position, entry.position), max(last.position, entry.position))
                )
                if entry.end > last.end { reach = entry }
            } else {
                reach = entry
            }
        }
        overlaps = pairs.sorted { $0 < $1 }
    }

    /// Creates an index of ranges in the order of their declaration.
    init(_ ranges: [(start: Int32, end: Int32)]) {
        self.init(ranges.map { (Int64($0.start), Int64($0.end)) })
    }

    /// Creates an index of ranges in the order of their declaration.
    init(_ ranges: [(start: Int64, end: Int64)]) {
        self.init(
            ranges.enumerated().map { Entry(start: $1.start, end: $1.end, position: $0) }
        )
    }

    /// The position of a range that has a number in common with another range.
    func position(meeting start: Int32, _ end: Int32) -> Int? {
        guard start < end else { return nil }
        if let found = position(of: Int64(start)) { return found }
        // Otherwise the next range may begin before the end.
        let next = sorted.firstIndex(startingBehind: Int64(start))
        guard next < sorted.count, sorted[next].start < Int64(end) else { return nil }
        return sorted[next].position
    }

    var isEmpty: Bool { sorted.isEmpty }

    /// The position of a range that holds a number; right as long as no ranges overlap.
    func position(of number: Int64) -> Int? {
        let behind = sorted.firstIndex(startingBehind: number)
        guard behind > 0, number < sorted[behind - 1].end else { return nil }
        return sorted[behind - 1].position
    }
}

extension [RangeIndex.Entry] {
    /// The first of sorted ranges that starts behind a number.
    fileprivate func firstIndex(startingBehind number: Int64) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            if self[middle].start <= number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
