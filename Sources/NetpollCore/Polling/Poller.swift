/// The system's readiness queue.
#if canImport(Darwin)
typealias Poller = Kqueue
#else
typealias Poller = Epoll
#endif
