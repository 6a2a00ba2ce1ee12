#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A thread with a small stack.
final class SmallThread: @unchecked Sendable {
    // @unchecked: the result is written before the thread ends, and read after that.
    private let body: @Sendable () -> [UInt8]
    private var result: [UInt8]?

    private init(_ body: @escaping @Sendable () -> [UInt8]) { self.body = body }

    /// What a function returns on a thread of its own, or `nil` if there is no such thread.
    static func run(stackByteCount: Int, _ body: @escaping @Sendable () -> [UInt8]) -> [UInt8]? {
        let job = SmallThread(body)
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { return nil }
        defer { pthread_attr_destroy(&attributes) }
        guard pthread_attr_setstacksize(&attributes, stackByteCount) == 0 else { return nil }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(job)
        let status = pthread_create(
            &thread,
            &attributes,
            { context in
                guard let context else { return nil }
                let job = Unmanaged<SmallThread>.fromOpaque(context).takeRetainedValue()
                job.result = job.body()
                return nil
            },
            context.toOpaque()
        )
        guard status == 0 else {
            context.release()
            return nil
        }
        pthread_join(thread, nil)
        return job.result
    }
}
