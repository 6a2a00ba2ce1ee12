internal import Synchronization

/// Hands out sequence ids: up through all 32-bit values but 0, which means a control frame.
///
/// Any thread.
struct SequenceIDs: ~Copyable {
    private let last: Atomic<Int32>

    /// - Parameter last: What counts as handed out last.
    init(after last: Int32 = 0) { self.last = Atomic(last) }

    /// The next id.
    func next() -> Int32 {
        let next = last.wrappingAdd(1, ordering: .relaxed).newValue
        return next == 0 ? last.wrappingAdd(1, ordering: .relaxed).newValue : next
    }
}
