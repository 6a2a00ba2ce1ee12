/// Calls that wait for a reply, by sequence id: an open-addressed table.
///
/// Ids are handed out in sequence. They are spread over the table, which is at most half full: beside
/// one another they would make long runs, and to take one out is to look through its run.
struct InFlightCalls<Call> {
    private struct Entry {
        var sequenceID: Int32
        var deadline: UInt64
        /// Where its request waits in the stream; 0 when it did not have to wait.
        var position: UInt64 = 0
        var call: Call
    }

    private var entries: [Entry?] = []
    private(set) var count = 0

    /// Fibonacci hashing: the upper bits of a product with 2^32 divided by the golden ratio.
    private func home(_ sequenceID: Int32) -> Int {
        let product = UInt32(bitPattern: sequenceID) &* 0x9E37_79B9
        return Int(product >> UInt32(32 - entries.count.trailingZeroBitCount))
    }

    /// Adds a call; false if the id is in use.
    mutating func insert(_ sequenceID: Int32, deadline: UInt64, _ call: Call) -> Bool {
        if count * 2 >= entries.count { grow() }
        var index = home(sequenceID)
        while let entry = entries[index] {
            if entry.sequenceID == sequenceID { return false }
            index = (index + 1) & (entries.count - 1)
        }
        entries[index] = Entry(sequenceID: sequenceID, deadline: deadline, call: call)
        count += 1
        return true
    }

    /// Takes a call out, or `nil` if the id is unknown.
    mutating func remove(_ sequenceID: Int32) -> Call? {
        guard count > 0 else { return nil }
        var index = home(sequenceID)
        while let entry = entries[index] {
            if entry.sequenceID == sequenceID {
                vacate(index)
                return entry.call
            }
            index = (index + 1) & (entries.count - 1)
        }
        return nil
    }

    /// Takes all calls out whose deadline is at or before `now`, and tells the next deadline.
    mutating func removeExpired(_ now: UInt64) -> (expired: [Call], next: UInt64?) {
        let ids = entries.compactMap { $0.flatMap { $0.deadline <= now ? $0.sequenceID : nil } }
        let expired = ids.compactMap { remove($0) }
        return (expired, entries.lazy.compactMap { $0?.deadline }.min())
    }

    /// Notes where the request of a call waits to be sent.
    mutating func setPosition(_ position: UInt64, of sequenceID: Int32) {
        guard count > 0 else { return }
        var index = home(sequenceID)
        while let entry = entries[index] {
            if entry.sequenceID == sequenceID {
                entries[index]?.position = position
                return
            }
            index = (index + 1) & (entries.count - 1)
        }
    }

    /// Takes all calls out, those apart whose requests wait at or behind a position.
    mutating func removeAll(unsentFrom position: UInt64?) -> (begun: [Call], unsent: [Call]) {
        var result: (begun: [Call], unsent: [Call]) = ([], [])
        for case let entry? in entries {
            if let position, entry.position > 0, entry.position >= position {
                result.unsent.append(entry.call)
            } else {
                result.begun.append(entry.call)
            }
        }
        entries = []
        count = 0
        return result
    }

    /// Empties a place and moves later entries of its run up, so that no look-up ends early.
    private mutating func vacate(_ start: Int) {
        let mask = entries.count - 1
        var hole = start
        var index = (hole + 1) & mask
        while let entry = entries[index] {
            let distance = (index - home(entry.sequenceID)) & mask
            if distance >= (index - hole) & mask {
                entries[hole] = entry
                hole = index
            }
            index = (index + 1) & mask
        }
        entries[hole] = nil
        count -= 1
    }

    private mutating func grow() {
        let old = entries
        entries = Array(repeating: nil, count: max(16, old.count * 2))
        count = 0
        for entry in old {
            guard let entry else { continue }
            _ = insert(entry.sequenceID, deadline: entry.deadline, entry.call)
            if entry.position > 0 { setPosition(entry.position, of: entry.sequenceID) }
        }
    }
}
