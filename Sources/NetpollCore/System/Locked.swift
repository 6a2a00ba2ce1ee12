internal import CNetpoll
public import Synchronization

/// A value that threads share under a lock.
///
/// A `Mutex` whose hand-over ThreadSanitizer can see: on Linux the lock's slow path runs in the
/// kernel (`FUTEX_LOCK_PI`), so without a word about it every contended value looks like a race.
/// Debug builds say that word; release builds are the bare `Mutex`.
///
/// Public, because code with `package` access is not inlined into other modules, and a generic lock
/// that is not inlined looks its type up at run time with each use.
public struct Locked<Value: ~Copyable>: ~Copyable {
    @usableFromInline
    let mutex: Mutex<Value>

    /// Creates an unlocked value.
    @inlinable @inline(__always)
    public init(_ value: consuming sending Value) { mutex = Mutex(value) }

    /// Calls `body` with the value while no other thread can reach it.
    ///
    /// Not re-entrant: `body` must not lock the same value.
    ///
    /// - Throws: What `body` throws.
    @inlinable @inline(__always)
    public borrowing func withLock<R: ~Copyable, E: Error>(
        _ body: (inout sending Value) throws(E) -> sending R
    ) throws(E) -> sending R {
        #if DEBUG
        // The place of the lock itself: to take the value's would be an access before the lock.
        let address = withUnsafePointer(to: mutex) { UnsafeRawPointer($0) }
        return try mutex.withLock { (value: inout sending Value) throws(E) -> sending R in
            lockDidAcquire(address)
            defer { lockWillRelease(address) }
            return try body(&value)
        }
        #else
        return try mutex.withLock(body)
        #endif
    }
}

extension Locked: Sendable where Value: ~Copyable {}

/// Tells ThreadSanitizer, if it is there, that this thread now holds a lock.
@usableFromInline
func lockDidAcquire(_ lock: UnsafeRawPointer) { cnetpoll_lock_did_acquire(lock) }

/// Tells ThreadSanitizer, if it is there, that this thread gives a lock up.
@usableFromInline
func lockWillRelease(_ lock: UnsafeRawPointer) { cnetpoll_lock_will_release(lock) }

/// Tells ThreadSanitizer of an order that it cannot see, because libswift_Concurrency keeps it: what
/// a thread did before it resumed a continuation comes before what the resumed task does.
///
/// Nothing in release builds.
package enum Handover {
    /// Called before a continuation is resumed.
    @inlinable
    package static func willResume(_ object: AnyObject) {
        #if DEBUG
        lockWillRelease(UnsafeRawPointer(Unmanaged.passUnretained(object).toOpaque()))
        #endif
    }

    /// Called by the task when it goes on.
    @inlinable
    package static func didResume(_ object: AnyObject) {
        #if DEBUG
        lockDidAcquire(UnsafeRawPointer(Unmanaged.passUnretained(object).toOpaque()))
        #endif
    }
}
