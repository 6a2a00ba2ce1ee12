/// Calls that wait for a reply, by sequence id: an open-addressed table.
///
/// Ids are handed out in sequence, so neighbours seldom collide and a look-up is one probe.
struct InFlightCalls<Call> {
    private struct Entry {
        var sequenceID: Int32
        var deadline: UInt64
        var call: Call
    }

    private var entries: [Entry?] = []
    private(set) var count = 0

    private func home(_ sequenceID: Int32) -> Int {
        Int(UInt32(bitPattern: sequenceID)) & (entries.count - 1)
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

    /// Takes all calls out.
    mutating func removeAll() -> [Call] {
        let calls = entries.compactMap { $0?.call }
        entries = []
        count = 0
        return calls
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
        }
    }
}
