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
        // None of these can fail: the memory is ours and the clock exists.
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
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
        clock_gettime(CLOCK_MONOTONIC, &end)
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
