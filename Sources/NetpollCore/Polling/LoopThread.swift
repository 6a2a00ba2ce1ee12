internal import CNetpoll
internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// A thread that can drive loops, one after the other.
///
/// The thread finds itself through a thread-local slot.
final class LoopThread: @unchecked Sendable {
    // @unchecked: `assignment` is handed over through the thread pool's lock and `parker`; the
    // rest is touched by the thread itself only.

    /// The loop that this thread drives; it may have lost it without knowing.
    ///
    /// Only compared, so it needs no reference count: ``drive(_:_:)`` holds the loop.
    private var loop: ObjectIdentifier?
    /// The present or last job's loan.
    private(set) var loan = LoopOwnership.first
    /// How many nested calls are inside the loop's state; 0 inside a job.
    private var depth = 0

    /// What to drive next.
    var assignment: (loop: EventLoop, loan: LoopOwnership.Loan)?
    let parker = Parker()

    /// Calls `body` with the calling thread if it is one that drives loops.
    @inline(__always)
    static func withCurrent(_ body: (LoopThread) -> Bool) -> Bool {
        guard let pointer = cnetpoll_loop_thread() else { return false }
        return Unmanaged<LoopThread>.fromOpaque(pointer)._withUnsafeGuaranteedRef(body)
    }

    /// Starts a thread that drives a loop until the loop ends, and others that `next` brings after.
    ///
    /// - Throws: ``NetpollError`` when the system has no thread left.
    static func start(
        _ loop: EventLoop,
        _ loan: LoopOwnership.Loan
    ) throws(NetpollError) {
        let new = LoopThread()
        new.assignment = (loop, loan)
        try SystemThread.start { new.main() }
    }

    private func main() {
        cnetpoll_set_loop_thread(Unmanaged.passUnretained(self).toOpaque())
        let threadID = cnetpoll_thread_id()
        BufferCache.attachToThread()
        while let (loop, loan) = assignment.take() {
            loop.driver.store(threadID, ordering: .relaxed)
            drive(loop, loan)
            // What a blocked handler's thread has cached serves nobody while it waits.
            BufferCache.current?.trim()
            loop.threads.waitForAssignment(self)
        }
        BufferCache.detachFromThread()
        cnetpoll_set_loop_thread(nil)
    }

    private func drive(_ loop: EventLoop, _ loan: LoopOwnership.Loan) {
        self.loop = ObjectIdentifier(loop)
        self.loan = loan
        depth = 1
        loop.runTurns(on: self)
        self.loop = nil
        depth = 0
    }
}

// MARK: - Being inside a loop's state

extension LoopThread {
    /// Whether the thread drives a loop, as far as it knows.
    func drives(_ loop: EventLoop) -> Bool { self.loop == ObjectIdentifier(loop) }

    /// Whether the thread is inside the state of a loop.
    func isInside(_ loop: EventLoop) -> Bool { drives(loop) && depth > 0 }

    /// Goes inside the state of a loop, unless the loop is another thread's.
    @inline(__always)
    func enter(_ loop: EventLoop) -> Bool {
        guard drives(loop) else { return false }
        if depth == 0, !loop.ownership.takeBack(loan) {
            self.loop = nil
            return false
        }
        depth += 1
        return true
    }

    /// Ends what ``enter(_:)`` began.
    @inline(__always)
    func leave(_ loop: EventLoop) {
        depth -= 1
        if depth == 0 { loop.ownership.lendAgain(loan) }
    }

    /// Has the job that the loop is lent to taken for a new one.
    func renewLoan(of loop: EventLoop) -> Bool {
        guard isInside(loop) else { return false }
        loan = loan.next
        return true
    }

    /// Runs a job with the loop lent out.
    ///
    /// Called at the outermost level of the loop's run phase only.
    ///
    /// - Returns: False if the loop was taken over meanwhile; the caller must not touch it again.
    func lend(_ loop: EventLoop, to job: () -> Void) -> Bool {
        precondition(depth == 1, "jobs start at the outermost level of a turn")
        loan = loop.ownership.lend(after: loan)
        depth = 0
        job()
        // The job may have noticed the loss itself.
        guard drives(loop), loop.ownership.takeBack(loan) else {
            self.loop = nil
            return false
        }
        depth = 1
        return true
    }
}
