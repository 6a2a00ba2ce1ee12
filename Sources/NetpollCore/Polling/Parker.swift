#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// A place where one thread sleeps until another wakes it or a time has passed.
///
/// A wake-up that comes first is kept: the next sleep ends at once.
final class Parker: @unchecked Sendable {
    // @unchecked: `isWoken` is guarded by `mutex`.

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var isWoken = false

    init() {
        // Cannot fail: the memory is ours.
        pthread_mutex_init(mutex, nil)
        Platform.initializeCondition(condition)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Sleeps until ``unpark()``, at most `timeout`.
    ///
    /// - Returns: Whether it was woken.
    @discardableResult
    func park(for timeout: Duration) -> Bool {
        let end = Deadline.after(timeout)
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !isWoken {
            guard Platform.wait(condition, mutex, until: end) else { break }
        }
        defer { isWoken = false }
        return isWoken
    }

    /// Ends the sleep in progress, or the next one.
    func unpark() {
        pthread_mutex_lock(mutex)
        isWoken = true
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }
}
