import Logging
import NetpollCore
import NetpollRPC
import Synchronization

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// When acknowledged changes are on the disk, and not only in the system's memory.
///
/// A process that is killed loses nothing under any of them; a machine that loses power may.
package enum SyncPolicy: String, Sendable, CaseIterable {
    /// Before they are acknowledged. Changes that come together share one fsync(2).
    case always
    /// Within a second.
    case everySecond = "every-second"
    /// When the system likes.
    case never
}

/// A ``Store`` and the file that it comes back from.
///
/// Changes block their thread until they are written, and synced if the policy says so: run them
/// on a `WorkerPool`. Others see a change when it is written. After an error of the disk nothing is
/// changed any more until the program starts again, because nobody knows what the file has. Any
/// thread.
package final class Database: Sendable {
    private struct State {
        var store: Store
        var log: Log
        /// The log's size when it was compacted last.
        var compactedByteCount: Int
        var failure: (any Error)?
    }

    private let state: Mutex<State>
    /// The version up to which changes are on the disk.
    ///
    /// Locked during fsync(2), and before `state`.
    private let syncedVersion: Mutex<UInt64>
    private let folder: File
    private let policy: SyncPolicy
    private let limits: StoreLimits
    private let logger: Logger
    private let clock: @Sendable () -> Duration

    private var logPath: String { "\(folder.path)/log" }

    /// The log is compacted when it is this much larger than twice what was left of it last time.
    static let compactionSlack = 1 << 20

    /// Opens a database, or makes an empty one.
    ///
    /// - Parameters:
    ///   - path: The folder that the file is in; made if there is none.
    ///   - policy: When changes are on the disk.
    ///   - limits: The bounds of the store.
    ///   - logger: Where to report what recovery did and what failed.
    ///   - clock: The wall clock's time since 1970.
    /// - Throws: When the file is damaged, used by another process, or cannot be read or written.
    package init(
        at path: String,
        sync policy: SyncPolicy = .always,
        limits: StoreLimits = StoreLimits(),
        logger: Logger,
        clock: @escaping @Sendable () -> Duration = Database.wallClock
    ) throws {
        try File.makeFolder(path)
        folder = try File(path, O_RDONLY)
        guard folder.lock() else { throw LogError.inUse }
        let (log, records, cut) = try Log.open("\(path)/log")
        try folder.sync()
        var store = Store(records)
        store.removeExpired(now: clock())
        if cut > 0 { logger.warning("cut a torn write off", metadata: ["bytes": "\(cut)"]) }
        logger.info(
            "recovered",
            metadata: ["records": "\(records.count)", "version": "\(store.version)"]
        )
        syncedVersion = Mutex(store.version)
        state = Mutex(State(store: store, log: log, compactedByteCount: log.byteCount))
        self.policy = policy
        self.limits = limits
        self.logger = logger
        self.clock = clock
    }

    /// The wall clock's time since 1970.
    package static func wallClock() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}

// MARK: - Reading and changing

extension Database {
    /// What a key has.
    ///
    /// - Throws: `BusinessError`: not found.
    package func value(of key: StoreKey) throws -> StoredValue {
        let value = state.withLock { $0.store.value(of: key, now: clock()) }
        guard let value else { throw BusinessError.notFound(key) }
        return value
    }

    /// A page of entries; see ``Store/page(prefix:after:limit:byteLimit:now:)``.
    package func page(prefix: StoreKey, after: StoreKey?, limit: Int, byteLimit: Int)
        -> (entries: [(key: StoreKey, value: StoredValue)], hasMore: Bool)
    {
        state.withLock {
            $0.store.page(
                prefix: prefix,
                after: after,
                limit: limit,
                byteLimit: byteLimit,
                now: clock()
            )
        }
    }

    /// Gives a key a value; see ``Store``.
    ///
    /// - Returns: The version of the change.
    /// - Throws: `BusinessError`: version conflict, too large, full; `RPCError` when the disk failed.
    package func set(
        _ key: StoreKey,
        to bytes: [UInt8],
        ttl: Duration?,
        expectedVersion: UInt64? = nil
    ) throws -> UInt64 {
        try change { store in
            try store.set(
                key,
                to: bytes,
                ttl: ttl,
                expectedVersion: expectedVersion,
                limits: limits,
                now: clock()
            )
        }
    }

    /// Removes a key.
    ///
    /// - Returns: The version of the change.
    /// - Throws: `BusinessError`: not found; `RPCError` when the disk failed.
    package func remove(_ key: StoreKey) throws -> UInt64 {
        try change { try $0.remove(key, now: clock()) }
    }

    private func change(_ decide: (Store) throws -> Kv_Record) throws -> UInt64 {
        let version = try state.withLock { state in
            let record = try decide(state.store)
            let bytes = try LogFormat.encode(record)
            try write(&state) { try $0.append(bytes) }
            state.store.apply(record)
            return record.version
        }
        if policy == .always { try sync(through: version) }
        return version
    }

    /// Returns when a change is on the disk.
    ///
    /// Whoever comes first syncs for all that wait behind it.
    private func sync(through version: UInt64) throws {
        try syncedVersion.withLock { syncedVersion in
            guard syncedVersion < version else { return }
            let (file, latest) = state.withLock { ($0.log.file, $0.store.version) }
            do {
                try file.sync()
            } catch {
                throw state.withLock { fail(&$0, error) }
            }
            syncedVersion = latest
        }
    }

    private func write(_ state: inout State, _ body: (inout Log) throws -> Void) throws {
        if let failure = state.failure { throw Self.refusal(failure) }
        do {
            try body(&state.log)
        } catch {
            throw fail(&state, error)
        }
    }

    /// Notes an error of the disk.
    private func fail(_ state: inout State, _ error: any Error) -> RPCError {
        logger.critical("the disk failed: no more changes", metadata: ["error": "\(error)"])
        state.failure = error
        return Self.refusal(error)
    }

    private static func refusal(_ cause: any Error) -> RPCError {
        RPCError(.internalError, "the store cannot write", retry: .never, cause: cause)
    }
}

// MARK: - Maintenance

extension Database {
    /// Each second until its task is cancelled, and then once more: lets go of what has expired,
    /// syncs if the policy says so, and compacts the log when most of it is of no use.
    ///
    /// - Parameter pool: Where it runs.
    package func maintain(on pool: WorkerPool) async {
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            // A pool that has too much to do leaves it for the next second.
            try? await pool.run { self.tidy() }
        }
        tidy()
    }

    func tidy() {
        let (version, isLong) = state.withLock { state in
            state.store.removeExpired(now: clock())
            let bound = 2 * state.compactedByteCount + Self.compactionSlack
            return (state.store.version, state.log.byteCount > bound)
        }
        do {
            if policy == .everySecond { try sync(through: version) }
            if isLong { try compact() }
        } catch {
            logger.error("maintenance failed", metadata: ["error": "\(error)"])
        }
    }

    /// Writes a log of what the store has and puts it in the place of the old one.
    ///
    /// Changes go on meanwhile, but for the moment of the exchange.
    func compact() throws {
        let (store, mark) = state.withLock { ($0.store, $0.log.byteCount) }
        var new = try Log.create("\(logPath).new")
        for record in store.records { try new.append(LogFormat.encode(record)) }
        try new.file.sync()
        try syncedVersion.withLock { syncedVersion in
            try state.withLock { state in
                try new.append(state.log.file.read(from: mark))
                try new.file.sync()
                try write(&state) { log in
                    try File.move(new.file.path, to: logPath)
                    try folder.sync()
                    log = new
                }
                state.compactedByteCount = new.byteCount
                syncedVersion = state.store.version
            }
        }
        logger.info("compacted", metadata: ["bytes": "\(new.byteCount)"])
    }
}
