internal import NetpollCore
internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// Notes what exists when a test begins and tells what is left over at its end.
///
/// Objects are told by weak references. Descriptors are those of the whole process: look at them
/// only in tests that run alone. Any thread.
public final class LeakTracker: Sendable {
    private struct Tracked: @unchecked Sendable {
        // @unchecked: a weak reference is read and cleared atomically by the runtime.
        let name: String
        weak var object: AnyObject?
    }

    private let tracked = Locked<[Tracked]>([])
    private let descriptorCount: Int

    /// Notes the present number of open descriptors.
    public init() { descriptorCount = Self.openDescriptorCount }

    /// The number of descriptors that this process has open.
    public static var openDescriptorCount: Int {
        // Asking for a descriptor that is not open is the one cheap question every system answers.
        let limit = Int32(clamping: min(sysconf(Int32(_SC_OPEN_MAX)), 65_536))
        return (0..<limit).reduce(0) { fcntl($1, F_GETFD) == -1 ? $0 : $0 + 1 }
    }

    /// Watches an object, which should be gone when the test ends.
    ///
    /// - Parameters:
    ///   - object: The object; it is not kept alive.
    ///   - name: What a report calls it.
    public func track(_ object: some AnyObject & Sendable, as name: String) {
        tracked.withLock { $0.append(Tracked(name: name, object: object)) }
    }

    /// What is left over, waiting for it to go away.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait.
    ///   - countsDescriptors: Whether descriptors that were opened since count too.
    /// - Returns: The names of objects that still exist, and a line about descriptors; empty when
    ///   nothing is left.
    public func leftovers(
        after timeout: Duration = .seconds(10),
        countsDescriptors: Bool = false
    ) async -> [String] {
        let end = Deadline.after(timeout)
        while true {
            var left = tracked.withLock { $0.filter { $0.object != nil }.map(\.name) }
            let more = countsDescriptors ? Self.openDescriptorCount - descriptorCount : 0
            if more > 0 { left.append("\(more) descriptors") }
            if left.isEmpty || Deadline.now() >= end { return left }
            await Task.yield()
        }
    }
}
