#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
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
        // Both can fail only for attributes, and there are none.
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
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
        var end = timespec()
        // The wall clock is what pthread_cond_timedwait(3) takes everywhere; if it jumps, a sleep
        // is too short or too long once, and whoever parks looks again anyway.
        clock_gettime(CLOCK_REALTIME, &end)
        let nanoseconds = UInt64(end.tv_nsec) &+ timeout.wholeNanoseconds
        end.tv_sec += Int(clamping: nanoseconds / 1_000_000_000)
        end.tv_nsec = Int(nanoseconds % 1_000_000_000)
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !isWoken {
            guard pthread_cond_timedwait(condition, mutex, &end) == 0 else { break }
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
