/// How a group's loops share threads.
public struct EventLoopGroupOptions: Sendable {
    /// How long one job of a task may hold a loop's thread before another thread goes on with the
    /// loop's other work; `nil` lets the loop wait.
    ///
    /// Default 200 µs. It is noticed within one and a half times that, or after 1 ms more when
    /// nothing has been stuck for a while. A job that waits for something may hold the thread half
    /// as long; the time in which a thread waits for a processor does not count (Linux only).
    ///
    /// Applies to what tasks run, handlers of calls among them; a ``ConnectionHandler`` and a closure
    /// given to ``EventLoop/execute(_:)`` run inside the loop and must not block.
    public var takeOverThreshold: Duration? = .microseconds(200)
    /// Most threads, stuck ones included; at the bound a loop waits for its thread.
    ///
    /// Default 256. A thread without a loop ends after 10 s.
    public var threadLimit = 256
    /// Most memory in bytes that bytes which were received and not yet read may take, on all
    /// connections together; the connection that would need more is closed with `limitExceeded`.
    ///
    /// Default `nil`: a quarter of the machine's memory, or of what the process's control group
    /// allows. Each connection has a bound of its own, ``ConnectionOptions/readHighWaterMark``.
    public var inputMemoryLimit: Int?
    /// How long a loop is idle before it looks whether it still is, and then trims its cache.
    package var trimDelay: Duration = .seconds(5)
    /// Where the loops take the time from; the system's monotonic clock by default.
    package var clock: (any LoopClock)?
    /// What goes wrong between sockets and the kernel; nothing by default.
    package var faults: (any SystemCallFaults)?

    /// Creates the defaults.
    public init() {}
}

/// What a group's threads did since it was made.
public struct EventLoopGroupStatistics: Sendable, Hashable {
    /// How many times a loop went on in another thread because a job held its own for too long.
    public let takeOvers: Int
    /// Threads that drive a loop, are held by a job or wait to be needed.
    public let threadCount: Int
}

/// A clock for loops that a test moves by hand.
package protocol LoopClock: Sendable {
    /// The present.
    func now() -> Deadline
    /// Tells which loops follow the clock, so that it can wake them when it moves.
    func attach(_ loops: [EventLoop])
}
