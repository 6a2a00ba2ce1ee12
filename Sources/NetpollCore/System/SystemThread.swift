#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// A thread of the system's own, for what must not run on Swift's pool because it blocks.
enum SystemThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs a closure on a new thread, which ends with it (pthread_create(3)).
    ///
    /// - Throws: ``NetpollError`` when the system has no thread left; the closure is not called.
    static func start(_ run: @escaping @Sendable () -> Void) throws(NetpollError) {
        let argument = Unmanaged.passRetained(Body(run)).toOpaque()
        #if canImport(Darwin)
        var thread: pthread_t?
        let status = pthread_create(&thread, nil, { SystemThread.main($0) }, argument)
        #else
        var thread: pthread_t = 0
        let status = pthread_create(&thread, nil, { $0.flatMap(SystemThread.main) }, argument)
        #endif
        guard status == 0 else {
            Unmanaged<Body>.fromOpaque(argument).release()
            throw SystemError.make(status, "pthread_create")
        }
        #if canImport(Darwin)
        if let thread { pthread_detach(thread) }
        #else
        pthread_detach(thread)
        #endif
    }

    private static func main(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
        return nil
    }
}
