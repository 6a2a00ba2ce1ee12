internal import Synchronization

/// A bound on bytes that many owners hold together.
///
/// Any thread.
final class ByteBudget: Sendable {
    let limit: Int
    private let used = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    var usedByteCount: Int { used.load(ordering: .relaxed) }

    /// Changes what an owner holds; false, and nothing has changed, if it would go beyond the bound.
    func charge(from old: Int, to new: Int) -> Bool {
        let sum = used.wrappingAdd(new - old, ordering: .relaxed).newValue
        guard new > old, sum > limit else { return true }
        used.wrappingSubtract(new - old, ordering: .relaxed)
        return false
    }
}
