internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// Several event loops that share the work of a program, one for each core by default.
///
/// A group is created by the program and passed down; it lives until ``shutdown()``.
public final class EventLoopGroup: Sendable {
    /// The loops of the group, at least one.
    public let loops: [EventLoop]
    private let cursor = Atomic<UInt>(0)
    private let threads: LoopThreads
    let names = NameLookup()
    let services = ServiceName.lookups()

    /// Creates a group and starts its threads.
    ///
    /// - Parameters:
    ///   - count: The number of loops; by default one for each core that is online.
    ///   - options: How the loops share threads.
    /// - Throws: ``NetpollError`` when `count` is not positive or the system has no descriptors or
    ///   threads left.
    public init(
        count: Int = EventLoopGroup.coreCount,
        options: EventLoopGroupOptions = EventLoopGroupOptions()
    ) throws(NetpollError) {
        guard count > 0 else {
            throw NetpollError(.limitExceeded, "an event loop group needs at least one loop")
        }
        let threads = LoopThreads(
            threshold: options.takeOverThreshold,
            limit: max(count, options.threadLimit)
        )
        let inputBudget = ByteBudget(limit: options.inputMemoryLimit ?? SystemMemory.limit() / 4)
        var loops: [EventLoop] = []
        for index in 0..<count {
            loops.append(
                try EventLoop(
                    index: index,
                    threads: threads,
                    inputBudget: inputBudget,
                    options: options
                )
            )
        }
        do throws(NetpollError) {
            try threads.start(loops)
        } catch {
            for loop in loops { loop.stop(whenEnded: {}) }
            threads.end()
            throw error
        }
        self.threads = threads
        self.loops = loops
        options.clock?.attach(loops)
    }

    /// What the group's threads did since it was made.
    ///
    /// Any thread.
    public var statistics: EventLoopGroupStatistics {
        let (takeOvers, threadCount) = threads.statistics
        return EventLoopGroupStatistics(takeOvers: takeOvers, threadCount: threadCount)
    }

    /// What the buffer caches of the loops' present threads did.
    ///
    /// Any thread; asks each loop in turn.
    public func bufferStatistics() async -> BufferCacheStatistics {
        var sum = BufferCacheStatistics()
        for loop in loops {
            let waiter = Waiter<BufferCacheStatistics>()
            let accepted = loop.execute {
                waiter.finish(.success(BufferCache.current?.statistics ?? BufferCacheStatistics()))
            }
            guard accepted, let part = try? await waiter.wait(begin: {}, onCancel: {}) else {
                continue
            }
            sum = sum + part
        }
        return sum
    }

    /// The present, by the group's clock.
    ///
    /// Any thread.
    public func now() -> Deadline { loops[0].now() }

    /// The point that lies `timeout` after now, by the group's clock.
    ///
    /// Any thread.
    public func deadline(after timeout: Duration) -> Deadline { loops[0].deadline(after: timeout) }

    /// The number of cores that are online, at least 1.
    public static var coreCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// The loop for something new: the one that watches fewer descriptors of the next two in turn.
    ///
    /// Any thread.
    public func next() -> EventLoop {
        let turn = cursor.wrappingAdd(1, ordering: .relaxed).oldValue
        let first = loops[Int(turn % UInt(loops.count))]
        let second = loops[Int((turn &+ 1) % UInt(loops.count))]
        return second.load < first.load ? second : first
    }

    /// The loop that the caller runs on, if it belongs to this group, else the next in turn.
    package func preferred() -> EventLoop { loops.first { $0.isCurrent } ?? next() }

    /// Ends all loops once they have nothing left to run, and waits for them.
    ///
    /// Listeners and connections that are still open are closed at once, and what they had queued is
    /// dropped: close them first. Any thread, also from a task on one of the loops.
    public func shutdown() async {
        for loop in loops {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                loop.stop { continuation.resume() }
            }
        }
        threads.end()
    }

    /// As ``shutdown()``, without waiting.
    package func shutdownWithoutWaiting() {
        for loop in loops { loop.stop(whenEnded: {}) }
        threads.end()
    }
}
