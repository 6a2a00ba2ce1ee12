/// A double-ended queue of segments in raw memory, allocated on first use.
///
/// An array inside a class would pay uniqueness, exclusivity and bounds checks on each access of
/// the path that every byte takes.
struct SegmentQueue: ~Copyable, @unchecked Sendable {
    // @unchecked: the storage has one owner, which moves between threads as a whole.

    private var storage: UnsafeMutablePointer<LinkBuffer.Segment>?
    private var capacity = 0
    private var head = 0
    private(set) var count = 0

    init() {}

    deinit {
        guard let storage else { return }
        for index in 0..<count {
            (storage + ((head + index) & (capacity - 1))).deinitialize(count: 1)
        }
        HeapMemory.give(storage)
    }

    var isEmpty: Bool { count == 0 }

    /// The place of the segment at `index`, which must be below `count`.
    private func place(_ index: Int) -> UnsafeMutablePointer<LinkBuffer.Segment> {
        guard let storage, index >= 0, index < count else {
            preconditionFailure("segment index \(index) lies outside 0..<\(count)")
        }
        return storage + ((head + index) & (capacity - 1))
    }

    subscript(index: Int) -> LinkBuffer.Segment {
        unsafeAddress { UnsafePointer(place(index)) }
        unsafeMutableAddress { place(index) }
    }

    mutating func append(_ segment: consuming LinkBuffer.Segment) {
        growIfFull()
        count += 1
        place(count - 1).initialize(to: segment)
    }

    @discardableResult
    mutating func removeFirst() -> LinkBuffer.Segment {
        let segment = place(0).move()
        head = (head + 1) & (capacity - 1)
        count -= 1
        return segment
    }

    mutating func removeLast() {
        place(count - 1).deinitialize(count: 1)
        count -= 1
    }

    mutating func removeAll() {
        while count > 0 { removeFirst() }
    }

    private mutating func growIfFull() {
        guard count == capacity else { return }
        let newCapacity = max(4, capacity * 2)
        let byteCount = newCapacity * MemoryLayout<LinkBuffer.Segment>.stride
        let new = HeapMemory.take(byteCount: byteCount)
            .bindMemory(to: LinkBuffer.Segment.self, capacity: newCapacity)
        for index in 0..<count { (new + index).moveInitialize(from: place(index), count: 1) }
        if let storage { HeapMemory.give(storage) }
        storage = new
        capacity = newCapacity
        head = 0
    }
}
