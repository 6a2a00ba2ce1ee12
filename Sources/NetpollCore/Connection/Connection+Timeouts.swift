internal import Synchronization

/// What ends a connection that does nothing.
///
/// A byte that comes or goes costs one clock reading and one store, and only with an idle timeout;
/// the timer is set again when it fires, not with every byte.
extension Connection {
    /// A byte came or went.
    ///
    /// Any thread.
    @inline(__always)
    func noteActivity() {
        guard options.idleTimeout != nil else { return }
        lastActivity.store(loop.now().uptimeNanoseconds, ordering: .relaxed)
    }

    /// Closes the connection once nothing has moved for the idle timeout.
    ///
    /// Loop only.
    func watchIdleness() {
        guard let timeout = options.idleTimeout else { return }
        let last = Deadline(uptimeNanoseconds: lastActivity.load(ordering: .relaxed))
        let end = last.advanced(by: timeout)
        guard end > loop.now() else {
            idleTimer = nil
            return finishClose(NetpollError(.timedOut, "\(peerAddress) was idle for \(timeout)"))
        }
        idleTimer = loop.schedule(at: end) { [weak self] in self?.watchIdleness() }
    }

    /// The socket takes no bytes: closes the connection if that lasts for the stall timeout.
    ///
    /// Loop only.
    func watchStall() {
        guard phase != .closed, stallTimer == nil, let timeout = options.stallTimeout,
            output.withLock({ $0.isBlocked })
        else { return }
        stallTimer = loop.schedule(at: loop.deadline(after: timeout)) { [weak self] in
            guard let self else { return }
            self.stallTimer = nil
            self.finishClose(
                NetpollError(.timedOut, "\(self.peerAddress) took no bytes for \(timeout)")
            )
        }
    }

    /// The socket takes bytes again, or never will.
    ///
    /// Loop only.
    func endStall() {
        guard let stallTimer else { return }
        loop.cancel(stallTimer)
        self.stallTimer = nil
    }
}
