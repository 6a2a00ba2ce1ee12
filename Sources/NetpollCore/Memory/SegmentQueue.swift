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
            BufferBlock.letGo((storage + ((head + index) & (capacity - 1))).move().block)
        }
        Self.give(storage, capacity)
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

    mutating func removeFirst() -> LinkBuffer.Segment {
        let segment = place(0).move()
        head = (head + 1) & (capacity - 1)
        count -= 1
        return segment
    }

    /// Removes the first segment and lets go of its block.
    mutating func dropFirst() { BufferBlock.letGo(removeFirst().block) }

    mutating func removeLast() {
        place(count - 1).deinitialize(count: 1)
        count -= 1
    }

    mutating func removeAll() {
        while count > 0 { dropFirst() }
    }

    private mutating func growIfFull() {
        guard count == capacity else { return }
        grow()
    }

    private mutating func grow() {
        let newCapacity = max(Self.firstCapacity, capacity * 2)
        let memory =
            capacity == 0
            ? BufferCache.takeQueue()
            : HeapMemory.take(byteCount: newCapacity * MemoryLayout<LinkBuffer.Segment>.stride)
        let new = memory.bindMemory(to: LinkBuffer.Segment.self, capacity: newCapacity)
        for index in 0..<count { (new + index).moveInitialize(from: place(index), count: 1) }
        if let storage { Self.give(storage, capacity) }
        storage = new
        capacity = newCapacity
        head = 0
    }

    private static let firstCapacity =
        BufferCache.queueByteCount / MemoryLayout<LinkBuffer.Segment>.stride

    private static func give(_ storage: UnsafeMutablePointer<LinkBuffer.Segment>, _ capacity: Int) {
        if capacity == firstCapacity {
            BufferCache.giveQueue(storage)
        } else {
            HeapMemory.give(storage)
        }
    }
}
