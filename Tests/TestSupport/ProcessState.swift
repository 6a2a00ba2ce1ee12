internal import Dispatch
internal import Glibc
public import Testing

/// What the system says about this process.
public enum ProcessState {
    /// The number of open descriptors.
    ///
    /// Those that libdispatch opens when it is first used, which the tasks of Swift do sooner or later,
    /// are there before anything is counted.
    public static var descriptorCount: Int {
        dispatchIsReady
        guard let folder = opendir("/proc/self/fd") else { return -1 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // `.`, `..` and the descriptor of the folder itself.
        return count - 3
    }

    private static let dispatchIsReady: Void = {
        let hasRun = DispatchSemaphore(value: 0)
        // A timer: what watches the threads of its pool is one, and comes only when it is busy.
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(1)) { hasRun.signal() }
        hasRun.wait()
    }()

    /// Whether a sanitizer runs, which needs several times the memory of what it watches.
    public static var isSanitized: Bool {
        dlsym(nil, "__tsan_init") != nil || dlsym(nil, "__asan_init") != nil
    }

    /// The bytes of memory that the process really has.
    public static var residentByteCount: Int {
        guard let file = fopen("/proc/self/statm", "r") else { return -1 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, Int32(line.count), file) != nil else { return -1 }
        let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return -1 }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Lowers the most descriptors that the process may have (`RLIMIT_NOFILE`).
    public static func limitDescriptors(to count: Int) {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = rlim_t(count)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// What a thread has used so far.
    public struct ThreadUsage: Sendable {
        /// Processor time in milliseconds.
        public let milliseconds: Int
        /// How often the thread went to sleep by itself.
        public let sleeps: Int
    }

    /// What the calling thread has used so far.
    public static var threadUsage: ThreadUsage {
        var usage = rusage()
        // RUSAGE_THREAD, which Glibc's module does not show.
        getrusage(__rusage_who_t(1), &usage)
        let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        let microseconds = Int(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
        return ThreadUsage(
            milliseconds: Int(seconds) * 1000 + microseconds / 1000,
            sleeps: Int(usage.ru_nvcsw)
        )
    }
}

extension Trait where Self == ConditionTrait {
    /// Only without a sanitizer, whose own memory would be measured.
    public static var measuresMemory: Self {
        .disabled(
            if: ProcessState.isSanitized,
            "measures memory, and a sanitizer takes several times what it watches"
        )
    }
}

/// Runs blocking code on a thread of its own, so that it holds up no task.
public func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws
    -> Value
{
    try await withCheckedThrowingContinuation { continuation in
        let work = ThreadWork { continuation.resume(with: Result(catching: body)) }
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(work).toOpaque()
        let status = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<ThreadWork>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            },
            argument
        )
        guard status == 0 else {
            Unmanaged<ThreadWork>.fromOpaque(argument).release()
            return continuation.resume(
                throwing: RawSocketError(call: "pthread_create", number: status)
            )
        }
        pthread_detach(thread)
    }
}

private final class ThreadWork: Sendable {
    let body: @Sendable () -> Void
    init(body: @escaping @Sendable () -> Void) { self.body = body }
}
