internal import NetpollCore
internal import Synchronization

/// Counts calls, and tells when the last has ended after it was closed.
///
/// Any thread; a call costs two atomic additions.
final class CallGate: Sendable {
    private static let closed: UInt64 = 1 << 63
    private let value = Atomic<UInt64>(0)
    private let waiters = Locked<[Waiter<Void>]>([])

    var count: Int { Int(value.load(ordering: .relaxed) & ~Self.closed) }

    /// A call begins; false when it must not.
    func enter() -> Bool {
        let old = value.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
        guard old & Self.closed != 0 else { return true }
        leave()
        return false
    }

    /// A call that asked to enter has ended.
    func leave() {
        let new = value.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue
        if new == Self.closed { tell() }
    }

    private func tell() {
        let told = waiters.withLock { waiters in
            defer { waiters = [] }
            return waiters
        }
        for waiter in told { waiter.finish(.success(())) }
    }

    /// Lets nobody in any more and waits until everybody has left.
    ///
    /// - Returns: Whether that was so; false when the task was cancelled before.
    func close() async -> Bool {
        let waiter = Waiter<Void>()
        waiters.withLock { $0.append(waiter) }
        value.bitwiseOr(Self.closed, ordering: .acquiringAndReleasing)
        if value.load(ordering: .acquiring) == Self.closed { tell() }
        do throws(NetpollError) {
            try await waiter.wait(
                begin: {},
                onCancel: {
                    waiter.finish(.failure(NetpollError(.cancelled, "wait for calls to end")))
                }
            )
            return true
        } catch {
            return false
        }
    }
}
