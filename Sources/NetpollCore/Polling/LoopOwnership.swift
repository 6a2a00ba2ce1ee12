internal import Synchronization

/// Which thread may touch a loop's state, and whether it is doing so now.
///
/// A loop is not its thread. While a thread runs a job, which is code of users that may block, it
/// lends the loop out: it may not touch the loop's state, and another thread may take the loop
/// over. To touch it again, from inside the job or after it, the thread must first get it back, and
/// learns then whether it still can. So no two threads are ever inside a loop's state, and a thread
/// that was stuck finds out when it matters, not before.
///
/// The word is `number << 1 | isLent`. The number grows with every job and every take-over and is
/// never used twice, so a thread that lost the loop cannot mistake a later state for its own.
struct LoopOwnership: ~Copyable {
    private let word = Atomic<UInt64>(0)

    /// One value of the word: a job that has the loop lent out, or the time between two jobs.
    struct Loan: Equatable {
        fileprivate let word: UInt64

        /// Whether a job has the loop.
        var isLent: Bool { word & 1 == 1 }

        /// The loan of the job after this one.
        var next: Loan { Loan(word: (word | 1) &+ 2) }
    }

    /// Lends the loop out for a job.
    ///
    /// The owner only, with the loan of its last job.
    func lend(after last: Loan) -> Loan {
        let loan = last.next
        word.store(loan.word, ordering: .releasing)
        return loan
    }

    /// Gets the loop back from a job, for a moment or for good.
    ///
    /// - Returns: False if another thread has taken the loop over.
    func takeBack(_ loan: Loan) -> Bool {
        word.compareExchange(
            expected: loan.word,
            desired: loan.word & ~1,
            ordering: .acquiring
        ).exchanged
    }

    /// Lends the loop out again after a moment inside a job.
    func lendAgain(_ loan: Loan) { word.store(loan.word, ordering: .releasing) }

    /// The present state, for someone who watches.
    ///
    /// Any thread.
    var current: Loan { Loan(word: word.load(ordering: .relaxed)) }

    /// Takes the loop over from a job.
    ///
    /// Any thread.
    ///
    /// - Returns: What the new owner holds, or `nil` if the job has ended or is inside the loop.
    func takeOver(_ loan: Loan) -> Loan? {
        let next = Loan(word: (loan.word & ~1) &+ 2)
        let (exchanged, _) = word.compareExchange(
            expected: loan.word,
            desired: next.word,
            ordering: .acquiringAndReleasing
        )
        return exchanged ? next : nil
    }

    /// What the first owner of a new loop holds.
    static var first: Loan { Loan(word: 0) }
}
