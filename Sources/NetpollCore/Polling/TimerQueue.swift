/// Names one scheduled timer; a stale one names nothing.
public struct TimerToken: Sendable, Hashable {
    let slot: UInt32
    let generation: UInt32
}

/// What a loop does at a deadline, and instead of it when it ends before.
struct LoopTimer {
    let body: @Sendable () -> Void
    let atEnd: (@Sendable () -> Void)?
}

/// Deadlines in a binary heap: O(log n) to add, cancel and take, without a clock of its own.
struct TimerQueue<Payload> {
    private struct Slot {
        var generation: UInt32
        /// The position in `heap`, or -1 while the slot is free.
        var position: Int
        var payload: Payload?
    }
    private struct Entry {
        var deadline: Deadline
        var slot: UInt32
    }

    private var heap: [Entry] = []
    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []

    /// The number of waiting timers.
    var count: Int { heap.count }

    /// The earliest deadline.
    var earliest: Deadline? { heap.first?.deadline }

    /// The payload of the earliest deadline.
    var earliestPayload: Payload? { heap.first.flatMap { slots[Int($0.slot)].payload } }

    mutating func add(_ deadline: Deadline, _ payload: Payload) -> TimerToken {
        let slot: UInt32
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = UInt32(slots.count)
            slots.append(Slot(generation: 0, position: -1, payload: nil))
        }
        slots[Int(slot)].payload = payload
        slots[Int(slot)].position = heap.count
        heap.append(Entry(deadline: deadline, slot: slot))
        siftUp(heap.count - 1)
        return TimerToken(slot: slot, generation: slots[Int(slot)].generation)
    }

    /// Removes a timer; returns its payload, or `nil` if it fired or was cancelled before.
    @discardableResult
    mutating func cancel(_ token: TimerToken) -> Payload? {
        guard Int(token.slot) < slots.count,
            slots[Int(token.slot)].generation == token.generation,
            slots[Int(token.slot)].position >= 0
        else { return nil }
        return remove(at: slots[Int(token.slot)].position)
    }

    /// Takes one timer whose deadline is at or before `now`, earliest first.
    mutating func takeExpired(_ now: Deadline) -> Payload? {
        guard let first = heap.first, first.deadline <= now else { return nil }
        return remove(at: 0)
    }

    private mutating func remove(at position: Int) -> Payload? {
        let slot = Int(heap[position].slot)
        let last = heap.count - 1
        if position != last {
            heap[position] = heap[last]
            slots[Int(heap[position].slot)].position = position
        }
        heap.removeLast()
        if position != last {
            siftUp(position)
            siftDown(position)
        }
        let payload = slots[slot].payload
        slots[slot].payload = nil
        slots[slot].position = -1
        slots[slot].generation &+= 1
        freeSlots.append(UInt32(slot))
        return payload
    }

    private mutating func exchange(_ left: Int, _ right: Int) {
        heap.swapAt(left, right)
        slots[Int(heap[left].slot)].position = left
        slots[Int(heap[right].slot)].position = right
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].deadline < heap[parent].deadline else { return }
            exchange(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in (2 * parent + 1)...(2 * parent + 2)
            where child < heap.count && heap[child].deadline < heap[least].deadline {
                least = child
            }
            guard least != parent else { return }
            exchange(parent, least)
            parent = least
        }
    }
}

/// A ``TimerQueue`` of numbers for other modules, where generic code that is not public would look its
/// types up at run time.
package struct DeadlineQueue {
    private var queue = TimerQueue<Int32>()

    package init() {}

    package var count: Int { queue.count }

    /// The earliest deadline and its number.
    package var first: (deadline: Deadline, number: Int32)? {
        guard let deadline = queue.earliest, let number = queue.earliestPayload else { return nil }
        return (deadline, number)
    }

    /// Adds a number; one that is there already is there twice.
    package mutating func add(_ deadline: Deadline, _ number: Int32) {
        _ = queue.add(deadline, number)
    }

    /// Takes the earliest out.
    package mutating func removeFirst() { _ = queue.takeExpired(.distantFuture) }
}
