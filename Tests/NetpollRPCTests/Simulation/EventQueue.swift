/// What will happen, in the order of a virtual clock; of two events at one time the earlier planned
/// one happens first.
struct EventQueue {
    private struct Event {
        let time: UInt64
        let order: UInt64
        let run: () -> Void

        func isBefore(_ other: Event) -> Bool {
            time != other.time ? time < other.time : order < other.order
        }
    }

    /// A binary heap.
    private var events: [Event] = []
    private var plannedCount: UInt64 = 0
    /// The time of the event that happened last, in nanoseconds.
    private(set) var now: UInt64 = 1_000_000_000

    /// Plans an event; one in the past happens now.
    mutating func schedule(at time: UInt64, _ run: @escaping () -> Void) {
        plannedCount += 1
        events.append(Event(time: max(time, now), order: plannedCount, run: run))
        var index = events.count - 1
        while index > 0, events[index].isBefore(events[(index - 1) / 2]) {
            events.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    /// Moves the clock to the next event and takes it.
    mutating func next() -> (() -> Void)? {
        guard let first = events.first, let last = events.popLast() else { return nil }
        now = first.time
        if !events.isEmpty {
            events[0] = last
            sink()
        }
        return first.run
    }

    private mutating func sink() {
        var index = 0
        while true {
            var smallest = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < events.count && events[child].isBefore(events[smallest]) {
                smallest = child
            }
            if smallest == index { return }
            events.swapAt(index, smallest)
            index = smallest
        }
    }
}
