#if !canImport(Darwin)
internal import CNetpoll
internal import Glibc

/// Linux's readiness queue (epoll(7)), level-triggered, with a waker.
///
/// Only the loop's thread calls it, but for ``wake()``, which any thread may call.
struct Epoll: ~Copyable {
    private let queue: Socket
    private let waker: Socket
    private let events: UnsafeMutableBufferPointer<epoll_event>

    /// One wait takes at most so many events; the next wait takes the rest.
    private static let batchLimit = 256
    /// The waker's event carries this token; slots never reach it.
    private static let wakerToken = UInt64.max

    /// Opens the queue and its waker.
    static func make() throws(NetpollError) -> Epoll {
        let queueDescriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard queueDescriptor >= 0 else { throw SystemError.last("epoll_create1") }
        let queue = Socket(adopting: queueDescriptor)
        let wakerDescriptor = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        guard wakerDescriptor >= 0 else { throw SystemError.last("eventfd") }
        let waker = Socket(adopting: wakerDescriptor)
        // Edge-triggered: every write makes one event and nobody has to read the counter back.
        var event = epoll_event()
        event.events = EPOLLIN.rawValue | EPOLLET.rawValue
        event.data.u64 = wakerToken
        guard epoll_ctl(queueDescriptor, EPOLL_CTL_ADD, wakerDescriptor, &event) == 0 else {
            throw SystemError.last("epoll_ctl")
        }
        return Epoll(queue: queue, waker: waker)
    }

    private init(queue: consuming Socket, waker: consuming Socket) {
        self.queue = queue
        self.waker = waker
        events = .allocate(capacity: Self.batchLimit)
    }

    deinit { events.deallocate() }

    func add(_ fileDescriptor: Int32, _ interest: Interest, _ token: RegistrationToken) -> Int32? {
        control(EPOLL_CTL_ADD, fileDescriptor, interest, token)
    }

    func modify(_ fileDescriptor: Int32, _ interest: Interest, _ token: RegistrationToken) -> Int32?
    {
        control(EPOLL_CTL_MOD, fileDescriptor, interest, token)
    }

    func remove(_ fileDescriptor: Int32) {
        // Fails only for a descriptor that is not registered, which is what was wanted.
        _ = epoll_ctl(queue.fileDescriptor, EPOLL_CTL_DEL, fileDescriptor, nil)
    }

    private func control(
        _ operation: Int32,
        _ fileDescriptor: Int32,
        _ interest: Interest,
        _ token: RegistrationToken
    ) -> Int32? {
        var event = epoll_event()
        if interest.contains(.read) { event.events |= EPOLLIN.rawValue | EPOLLRDHUP.rawValue }
        if interest.contains(.peerEnd) { event.events |= EPOLLRDHUP.rawValue }
        if interest.contains(.write) { event.events |= EPOLLOUT.rawValue }
        event.data.u64 = token.rawValue
        return epoll_ctl(queue.fileDescriptor, operation, fileDescriptor, &event) == 0 ? nil : errno
    }

    /// Ends a wait in progress, or the next one.
    func wake() {
        // The only failure is a full counter, and then a wake-up is pending anyway.
        _ = eventfd_write(waker.fileDescriptor, 1)
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
        let count = epoll_wait(
            queue.fileDescriptor,
            events.baseAddress,
            Int32(events.count),
            timeoutMilliseconds
        )
        guard count > 0 else {
            // EINTR is a wake-up like any other; anything else means that our own descriptors are wrong.
            precondition(count == 0 || errno == EINTR, "epoll_wait failed on a descriptor of ours")
            return true
        }
        for index in 0..<Int(count) where events[index].data.u64 != Self.wakerToken {
            let flags = events[index].events
            var readiness: Readiness = []
            if flags & EPOLLIN.rawValue != 0 { readiness.insert(.readable) }
            if flags & EPOLLOUT.rawValue != 0 { readiness.insert(.writable) }
            if flags & EPOLLRDHUP.rawValue != 0 { readiness.insert(.peerEnd) }
            if flags & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 { readiness.insert(.hangUp) }
            body(RegistrationToken(rawValue: events[index].data.u64), readiness)
        }
        return false
    }
}
#endif
