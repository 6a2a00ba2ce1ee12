/// Elements that wait for their turn, first come, first served.
///
/// Refers to none that has left. Takes and gives in constant time on average, and without an
/// allocation while no more wait than have waited before.
struct WaitingQueue<Element> {
    /// Those before `head` have left.
    private var slots: [Element?] = []
    private var head = 0

    /// So many slots may be empty, however few elements wait.
    private static var emptyLimit: Int { 32 }

    var count: Int { slots.count - head }
    var isEmpty: Bool { count == 0 }

    /// All that wait, in order; a copy.
    var elements: [Element] { slots[head...].compactMap { $0 } }

    mutating func append(_ element: Element) { slots.append(element) }

    /// Takes the one that has waited longest.
    mutating func popFirst() -> Element? {
        guard head < slots.count else { return nil }
        let first = slots[head].take()
        head += 1
        if head == slots.count {
            slots.removeAll(keepingCapacity: true)
            head = 0
        } else if head > Self.emptyLimit, head >= count {
            // At most as many move as have left since the last time.
            slots.removeFirst(head)
            head = 0
        }
        return first
    }

    /// Takes those that are to leave, wherever they stand.
    ///
    /// In linear time.
    mutating func removeAll(where isLeaving: (Element) -> Bool) -> [Element] {
        let leaving = elements.filter(isLeaving)
        guard !leaving.isEmpty else { return [] }
        slots = elements.filter { !isLeaving($0) }
        head = 0
        return leaving
    }
}
