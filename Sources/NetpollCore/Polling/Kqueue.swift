#if canImport(Darwin)
internal import Darwin

/// Darwin's readiness queue (kqueue(2)), with a waker.
///
/// Only the loop's thread calls it, but for ``wake()``, which any thread may call.
///
/// kqueue tells an error or a hang-up of a socket only through a filter, where epoll always does.
/// So a descriptor that is not to be read keeps a read filter that tells changes only (`EV_CLEAR`):
/// bytes that nobody wants then wake the loop once as they come, and never again.
struct Kqueue: ~Copyable {
    private let queue: Socket
    private let events: UnsafeMutableBufferPointer<kevent>

    /// One wait takes at most so many events; the next wait takes the rest.
    private static let batchLimit = 256
    /// The waker is a user event of this identifier; it carries no token.
    private static let wakerIdentifier: UInt = 0

    /// Opens the queue and its waker.
    static func make() throws(NetpollError) -> Kqueue {
        let queueDescriptor = kqueue()
        guard queueDescriptor >= 0 else { throw SystemError.last("kqueue") }
        let queue = Socket(adopting: queueDescriptor)
        guard fcntl(queueDescriptor, F_SETFD, FD_CLOEXEC) == 0 else {
            throw SystemError.last("fcntl")
        }
        var event = kevent()
        event.ident = wakerIdentifier
        event.filter = Int16(EVFILT_USER)
        event.flags = UInt16(EV_ADD | EV_CLEAR)
        guard kevent(queueDescriptor, &event, 1, nil, 0, nil) == 0 else {
            throw SystemError.last("kevent")
        }
        return Kqueue(queue: queue)
    }

    private init(queue: consuming Socket) {
        self.queue = queue
        events = .allocate(capacity: Self.batchLimit)
    }

    deinit { events.deallocate() }

    func add(_ fileDescriptor: Int32, _ interest: Interest, _ token: RegistrationToken) -> Int32? {
        control(fileDescriptor, interest, token)
    }

    func modify(_ fileDescriptor: Int32, _ interest: Interest, _ token: RegistrationToken) -> Int32?
    {
        control(fileDescriptor, interest, token)
    }

    func remove(_ fileDescriptor: Int32) {
        // Fails only for a descriptor that is not registered, which is what was wanted.
        _ = control(fileDescriptor, [], nil)
    }

    private func control(
        _ fileDescriptor: Int32,
        _ interest: Interest,
        _ token: RegistrationToken?
    ) -> Int32? {
        var change = kevent()
        change.ident = UInt(bitPattern: Int(fileDescriptor))
        change.udata = token.flatMap {
            UnsafeMutableRawPointer(bitPattern: UInt(truncatingIfNeeded: $0.rawValue))
        }
        let receipt = UInt16(EV_RECEIPT)
        // A filter's way of telling is fixed when it is added, so reading is always added anew.
        change.filter = Int16(EVFILT_READ)
        change.flags = UInt16(EV_DELETE) | receipt
        var failure = apply(change)
        if !interest.isDisjoint(with: [.read, .peerEnd, .hangUp]) {
            let telling = interest.contains(.read) ? 0 : UInt16(EV_CLEAR)
            change.flags = UInt16(EV_ADD) | telling | receipt
            failure = failure ?? apply(change)
        }
        change.filter = Int16(EVFILT_WRITE)
        change.flags = UInt16(interest.contains(.write) ? EV_ADD : EV_DELETE) | receipt
        return failure ?? apply(change)
    }

    /// Makes one change; the `errno` if it failed.
    private func apply(_ change: kevent) -> Int32? {
        var change = change
        var receipt = kevent()
        guard kevent(queue.fileDescriptor, &change, 1, &receipt, 1, nil) == 1 else {
            // After EINTR the change has been made (kevent(2)).
            return errno == EINTR ? nil : errno
        }
        let number = Int32(truncatingIfNeeded: receipt.data)
        let wasAbsent = number == ENOENT && change.flags & UInt16(EV_DELETE) != 0
        return number == 0 || wasAbsent ? nil : number
    }

    /// Ends a wait in progress, or the next one.
    func wake() {
        var event = kevent()
        event.ident = Self.wakerIdentifier
        event.filter = Int16(EVFILT_USER)
        event.fflags = UInt32(NOTE_TRIGGER)
        // The waker exists as long as the queue, so this cannot fail.
        _ = kevent(queue.fileDescriptor, &event, 1, nil, 0, nil)
    }

    /// Waits and tells what became ready.
    ///
    /// A negative timeout waits for ever.
    ///
    /// - Returns: Whether nothing happened until the timeout.
    func wait(
        timeoutMilliseconds: Int32,
        _ body: (RegistrationToken, Readiness) -> Void
    ) -> Bool {
        var timeout = timespec(
            tv_sec: Int(timeoutMilliseconds) / 1000,
            tv_nsec: Int(timeoutMilliseconds) % 1000 * 1_000_000
        )
        let count = withUnsafePointer(to: &timeout) {
            kevent(
                queue.fileDescriptor,
                nil,
                0,
                events.baseAddress,
                Int32(events.count),
                timeoutMilliseconds < 0 ? nil : $0
            )
        }
        guard count > 0 else {
            // EINTR is a wake-up like any other; anything else means that our own descriptors are wrong.
            precondition(count == 0 || errno == EINTR, "kevent failed on a descriptor of ours")
            return true
        }
        for index in 0..<Int(count) where Int32(events[index].filter) != EVFILT_USER {
            let event = events[index]
            let isEnd = Int32(event.flags) & EV_EOF != 0
            var readiness: Readiness = []
            if Int32(event.filter) == EVFILT_READ {
                readiness.insert(.readable)
                if isEnd { readiness.insert(.peerEnd) }
            } else {
                readiness.insert(.writable)
            }
            // With EV_EOF the filter's flags hold the socket's error.
            if isEnd, event.fflags != 0 { readiness.insert(.hangUp) }
            body(RegistrationToken(rawValue: UInt64(UInt(bitPattern: event.udata))), readiness)
        }
        return false
    }
}
#endif
