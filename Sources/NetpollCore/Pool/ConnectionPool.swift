/// Something that a pool lends: a connection, or a session on one.
public protocol Poolable: AnyObject, Sendable {
    /// Whether it can be used; one atomic load.
    var isActive: Bool { get }
    /// Closes it in good order.
    func close()
    /// Calls `body` once ``isActive`` has become false; at once if it already is.
    func onInactive(_ body: @escaping @Sendable () -> Void)
    /// Calls `body` once it is gone.
    func onClose(_ body: @escaping @Sendable () -> Void)
    /// Whether its peer ended it before it was of use to whoever borrowed it; the second such end
    /// in a row counts as a dial that failed.
    ///
    /// False for members that do not say.
    var endedWithoutUse: Bool { get }
}

extension Poolable {
    /// False: whatever was lent was of use.
    public var endedWithoutUse: Bool { false }
}

extension Connection: Poolable {}

/// Connections to one address that are used by one caller at a time and kept for the next.
///
/// The connection used last is lent first. One whose peer closes it leaves the pool when that news
/// arrives, and is never lent after. Any thread.
public final class ConnectionPool<Member: Poolable>: Sendable {
    /// Starts a dial; `completion` is called once, on any thread.
    public typealias Dial =
        @Sendable (
            _ completion: @escaping @Sendable (Result<Member, NetpollError>) -> Void
        ) -> Void

    private let runner: PoolRunner

    /// Creates an empty pool.
    ///
    /// - Parameters:
    ///   - group: One of its loops keeps the pool's timer.
    ///   - options: The pool's bounds.
    ///   - dial: Makes a connection.
    public init(group: EventLoopGroup, options: PoolOptions = PoolOptions(), dial: @escaping Dial) {
        runner = PoolRunner(group: group, options: options) { completion in
            dial { outcome in completion(outcome.map(PooledObject.init)) }
        }
    }

    /// What the pool holds now.
    public var statistics: PoolStatistics { runner.statistics }

    /// Lends a connection: an idle one if there is one, else a new one, else the next that is given
    /// back.
    ///
    /// Hand it to ``checkIn(_:)`` when done; one that was closed meanwhile needs not be.
    ///
    /// - Parameter deadline: When to stop waiting.
    /// - Returns: An active connection.
    /// - Throws: ``NetpollError``: the dial's error, `timedOut`, `cancelled`, `limitExceeded` when
    ///   too many wait, or `shutdown`.
    public func checkOut(deadline: Deadline = .distantFuture) async throws(NetpollError) -> Member {
        if let idle = checkOutIdle() { return idle }
        return member(try await runner.checkOut(deadline: deadline))
    }

    /// Lends an idle connection, or returns `nil` if there is none.
    package func checkOutIdle() -> Member? { runner.checkOutIdle().map(member) }

    private func member(_ pooled: PooledObject) -> Member {
        // Only members come in: `init` and `checkIn(_:)` are the ways.
        unsafeDowncast(pooled.object, to: Member.self)
    }

    /// Takes a connection back for the next caller.
    ///
    /// One that is not lent, because it was given back before, is left alone.
    public func checkIn(_ member: Member) { runner.checkIn(PooledObject(object: member)) }

    /// Dials once for nobody, even during a back-off, to learn whether the address is alive.
    package func probe() { runner.probe() }

    /// Closes idle connections, refuses new callers and fails those who wait.
    ///
    /// Lent connections are closed when they are given back.
    public func close() { runner.close() }
}
