public import NetpollCore
internal import Synchronization

/// A clock that stands still until a test moves it.
///
/// Give it to an `EventLoopGroup` through ``options``: the group's timers, timeouts and deadlines
/// then follow it, so a test of a one-hour timeout takes no time and depends on none.
///
/// Any thread.
public final class ManualClock: LoopClock {
    private struct State {
        var time: Deadline
        var loops: [EventLoop] = []
    }
    private let state: Locked<State>

    /// Creates a clock that shows an arbitrary time.
    public init() {
        state = Locked(State(time: Deadline(uptimeNanoseconds: 1_000_000_000_000)))
    }

    /// The options of a group that follows this clock.
    public var options: EventLoopGroupOptions {
        var options = EventLoopGroupOptions()
        options.clock = self
        return options
    }

    /// The time the clock shows.
    public func now() -> Deadline { state.withLock { $0.time } }

    /// The point that lies `timeout` after the time the clock shows.
    public func deadline(after timeout: Duration) -> Deadline { now().advanced(by: timeout) }

    /// Moves the clock, and returns once every timer that came due has fired and had its effect on
    /// the loops.
    ///
    /// Before it moves the clock and after, it calls ``settle()``. So whatever the loops had before
    /// begins at the earlier time, and a handler that a timer wakes has gone on until it waits again.
    ///
    /// - Parameter duration: How far; a negative one moves nothing.
    public func advance(by duration: Duration) async {
        await settle()
        state.withLock { $0.time = $0.time.advanced(by: duration) }
        await settle()
    }

    /// Returns once the loops that follow the clock have done what they have to do, and what follows
    /// from it, for as many steps as a call takes from its client to its handler and back.
    ///
    /// It cannot know of tasks that run elsewhere: a task of the test that has not made its call yet,
    /// a handler on a worker pool, or one that awaits something of another executor. Wait for those
    /// by what they do.
    public func settle() async {
        for _ in 0..<Self.stepCount {
            for loop in state.withLock({ $0.loops }) { await loop.turn() }
        }
    }

    /// A request goes from loop to loop, its handler may ask a third for a timer, and its reply comes
    /// back.
    private static let stepCount = 4

    package func attach(_ loops: [EventLoop]) { state.withLock { $0.loops += loops } }
}

extension EventLoop {
    /// Returns after a whole turn of the loop: what was ready, due or queued before has run.
    ///
    /// Any thread; returns at once when the loop has ended.
    public func turn() async {
        // The first closure may run in a turn whose timers had their chance before it was queued.
        for _ in 0..<2 {
            let waiter = Waiter<Void>()
            guard execute({ waiter.finish(.success(())) }) else { return }
            try? await waiter.wait(begin: {}, onCancel: {})
        }
    }
}
