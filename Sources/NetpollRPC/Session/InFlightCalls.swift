internal import NetpollCore

/// Calls that wait for a reply, by sequence id: an open-addressed table.
///
/// Ids are handed out in sequence. They are spread over the table, which is at most half full: beside
/// one another they would make long runs, and to take one out is to look through its run. A table
/// that was large is made smaller when it is nearly empty.
///
/// Only deadlines that are near are in a queue. A call that ends long before its own costs nothing for
/// it but a comparison, and the table is looked through for more when those have passed: an eighth of
/// the time that they span becomes near, so that each look serves many calls that expire.
struct InFlightCalls<Call> {
    private struct Entry {
        let sequenceID: Int32
        let deadline: UInt64
        /// Where its request waits in the stream; 0 when it did not have to wait.
        var position: UInt64 = 0
        let call: Call
    }

    private var entries: [Entry?] = []
    private(set) var count = 0
    /// The calls whose deadlines are not after `horizon`, and some that have ended.
    private var near = DeadlineQueue()
    private var horizon: UInt64 = 0

    /// A table of so many places, some tens of KiB, is never made smaller: bursts that come again
    /// find their places.
    private static var keptCapacity: Int { 1024 }

    /// The deadlines in the queue, for tests.
    var nearCount: Int { near.count }

    /// The places of the table.
    var capacity: Int { entries.count }

    /// Fibonacci hashing: the upper bits of a product with 2^32 divided by the golden ratio.
    private func home(_ sequenceID: Int32) -> Int {
        let product = UInt32(bitPattern: sequenceID) &* 0x9E37_79B9
        return Int(product >> UInt32(32 - entries.count.trailingZeroBitCount))
    }

    /// Adds a call; false if the id is in use.
    mutating func insert(_ sequenceID: Int32, deadline: UInt64, _ call: Call) -> Bool {
        if count * 2 >= capacity { resize(to: max(16, capacity * 2)) }
        var index = home(sequenceID)
        while let entry = entries[index] {
            if entry.sequenceID == sequenceID { return false }
            index = (index + 1) & (entries.count - 1)
        }
        entries[index] = Entry(sequenceID: sequenceID, deadline: deadline, call: call)
        count += 1
        if deadline <= horizon { addNear(deadline, sequenceID) }
        return true
    }

    /// Takes a call out, or `nil` if the id is unknown.
    mutating func remove(_ sequenceID: Int32) -> Call? {
        guard count > 0 else { return nil }
        var index = home(sequenceID)
        while let entry = entries[index] {
            if entry.sequenceID == sequenceID {
                vacate(index)
                if capacity > Self.keptCapacity, count * 16 < capacity {
                    resize(to: capacity / 4)
                }
                return entry.call
            }
            index = (index + 1) & (entries.count - 1)
        }
        return nil
    }

    /// Takes all calls out whose deadline is at or before `now`, the earliest first, and tells the
    /// next deadline.
    mutating func removeExpired(_ now: UInt64) -> (expired: [Call], next: UInt64?) {
        var expired: [Call] = []
        while let (deadline, id) = earliest(), deadline <= now {
            if let call = remove(id) { expired.append(call) }
        }
        return (expired, earliest()?.deadline)
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
        forgetNear()
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

    private mutating func resize(to capacity: Int) {
        let old = entries
        entries = Array(repeating: nil, count: capacity)
        count = 0
        forgetNear()
        for entry in old {
            guard let entry else { continue }
            _ = insert(entry.sequenceID, deadline: entry.deadline, entry.call)
            if entry.position > 0 { setPosition(entry.position, of: entry.sequenceID) }
        }
    }
}

// MARK: - Deadlines

extension InFlightCalls {
    /// The call that expires first.
    private mutating func earliest() -> (deadline: UInt64, sequenceID: Int32)? {
        guard count > 0 else { return nil }
        while true {
            while let (deadline, id) = near.first {
                let time = deadline.uptimeNanoseconds
                if self.deadline(of: id) == time { return (time, id) }
                // It has ended.
                near.removeFirst()
            }
            moveHorizon()
        }
    }

    private func deadline(of sequenceID: Int32) -> UInt64? {
        var index = home(sequenceID)
        while let entry = entries[index] {
            if entry.sequenceID == sequenceID { return entry.deadline }
            index = (index + 1) & (entries.count - 1)
        }
        return nil
    }

    /// Makes more deadlines near, at least one; there must be a call.
    private mutating func moveHorizon() {
        var (first, last) = (UInt64.max, UInt64.min)
        for case let entry? in entries {
            first = min(first, entry.deadline)
            last = max(last, entry.deadline)
        }
        horizon = first + (last - first) / 8
        for case let entry? in entries where entry.deadline <= horizon {
            near.add(Deadline(uptimeNanoseconds: entry.deadline), entry.sequenceID)
        }
    }

    private mutating func addNear(_ deadline: UInt64, _ sequenceID: Int32) {
        near.add(Deadline(uptimeNanoseconds: deadline), sequenceID)
        // Most have ended: they are looked for again when the next deadline is asked for.
        if near.count > 2 * count + Self.keptCapacity { forgetNear() }
    }

    private mutating func forgetNear() {
        near = DeadlineQueue()
        horizon = 0
    }
}
