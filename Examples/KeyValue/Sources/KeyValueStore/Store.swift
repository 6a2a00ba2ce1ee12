import NetpollProtobuf
import NetpollRPC

/// What a key has.
package struct StoredValue: Equatable, Sendable {
    package var bytes: [UInt8]
    package var version: UInt64
    /// Since 1970; `nil`: never.
    package var expiresAt: Duration?

    func isLive(at now: Duration) -> Bool { expiresAt.map { $0 > now } ?? true }
}

/// The keys and values: pure, told the wall clock's time since 1970.
///
/// A change is made in two steps, so that the record of it can be written down in between:
/// ``set(_:to:ttl:expectedVersion:now:)`` and ``remove(_:now:)`` decide, ``apply(_:)`` does. An
/// expired value is invisible at once and takes up room until ``removeExpired(now:)``.
package struct Store: Equatable, Sendable {
    /// The version of the last change.
    package private(set) var version: UInt64 = 0
    /// The bytes of all keys and values.
    package private(set) var byteCount = 0
    private(set) var values: [StoreKey: StoredValue] = [:]
    private var order: [StoreKey] = []
    private var nextExpiry: Duration?

    package init() {}

    /// The store that records led to.
    init(_ records: [Kv_Record]) {
        for record in records { _ = change(record) }
        order = values.keys.sorted()
    }

    /// What a key has, if it has not expired.
    package func value(of key: StoreKey, now: Duration) -> StoredValue? {
        values[key].flatMap { $0.isLive(at: now) ? $0 : nil }
    }

    /// A page of the entries whose keys begin with `prefix`, in order.
    ///
    /// - Parameters:
    ///   - prefix: What the keys begin with.
    ///   - after: The key that the page begins behind; `nil`: from the first.
    ///   - limit: Most entries.
    ///   - byteLimit: The page ends with the entry that reaches it.
    ///   - now: The time.
    /// - Returns: The entries, and whether there are more behind them.
    package func page(
        prefix: StoreKey,
        after: StoreKey?,
        limit: Int,
        byteLimit: Int,
        now: Duration
    ) -> (entries: [(key: StoreKey, value: StoredValue)], hasMore: Bool) {
        var entries: [(key: StoreKey, value: StoredValue)] = []
        var size = 0
        for key in order[place(of: max(prefix, after ?? prefix))...] {
            guard key.bytes.starts(with: prefix.bytes) else { break }
            guard key != after, let value = value(of: key, now: now) else { continue }
            if entries.count == limit || size >= byteLimit { return (entries, true) }
            entries.append((key, value))
            size += key.bytes.count + value.bytes.count
        }
        return (entries, false)
    }

    /// Where a key is, or would be, in the order.
    private func place(of key: StoreKey) -> Int {
        var (low, high) = (0, order.count)
        while low < high {
            let middle = (low + high) / 2
            if order[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

// MARK: - Decisions

extension Store {
    /// The record of giving a key a value.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - bytes: The value.
    ///   - ttl: How long it lives; `nil`: for ever.
    ///   - expectedVersion: What the key must have, 0 for no value; `nil`: anything.
    ///   - limits: The bounds.
    ///   - now: The time.
    /// - Returns: The record.
    /// - Throws: `BusinessError`: version conflict, too large, full.
    func set(
        _ key: StoreKey,
        to bytes: [UInt8],
        ttl: Duration?,
        expectedVersion: UInt64?,
        limits: StoreLimits,
        now: Duration
    ) throws(BusinessError) -> Kv_Record {
        guard key.key.count <= limits.keyByteLimit else {
            throw .tooLarge("key", limit: limits.keyByteLimit)
        }
        guard bytes.count <= limits.valueByteLimit else {
            throw .tooLarge("value", limit: limits.valueByteLimit)
        }
        let actual = value(of: key, now: now)?.version ?? 0
        if let expectedVersion, expectedVersion != actual {
            throw .versionConflict(key, actual: actual)
        }
        let old = values[key]
        guard old != nil || values.count < limits.keyLimit else {
            throw .full("keys", limit: limits.keyLimit)
        }
        let growth = bytes.count - (old.map(\.bytes.count) ?? -key.bytes.count)
        guard growth <= 0 || byteCount + growth <= limits.byteLimit else {
            throw .full("bytes", limit: limits.byteLimit)
        }
        return .with {
            $0.version = version + 1
            $0.key = key.bytes
            $0.value = bytes
            if let ttl { $0.expiresAt = Google_Protobuf_Timestamp(durationSince1970: now + ttl) }
        }
    }

    /// The record of removing a key.
    ///
    /// - Throws: `BusinessError`: not found.
    func remove(_ key: StoreKey, now: Duration) throws(BusinessError) -> Kv_Record {
        guard value(of: key, now: now) != nil else { throw .notFound(key) }
        return .with {
            $0.version = version + 1
            $0.key = key.bytes
        }
    }
}

// MARK: - Changes

extension Store {
    /// Does what a record says.
    mutating func apply(_ record: Kv_Record) {
        switch change(record) {
        case .added(let key): order.insert(key, at: place(of: key))
        case .removed(let key): order.remove(at: place(of: key))
        case .replaced: break
        }
    }

    private enum Change {
        case added(StoreKey)
        case removed(StoreKey)
        case replaced
    }

    /// Does what a record says, and leaves the order of the keys to the caller.
    private mutating func change(_ record: Kv_Record) -> Change {
        version = max(version, record.version)
        guard !record.key.isEmpty else { return .replaced }
        let key = StoreKey(bytes: record.key)
        guard record.hasValue else {
            guard let old = values.removeValue(forKey: key) else { return .replaced }
            byteCount -= key.bytes.count + old.bytes.count
            return .removed(key)
        }
        let expiresAt = record.hasExpiresAt ? record.expiresAt.durationSince1970 : nil
        if let expiresAt { nextExpiry = min(nextExpiry ?? expiresAt, expiresAt) }
        let new = StoredValue(bytes: record.value, version: record.version, expiresAt: expiresAt)
        if let old = values.updateValue(new, forKey: key) {
            byteCount += new.bytes.count - old.bytes.count
            return .replaced
        }
        byteCount += key.bytes.count + new.bytes.count
        return .added(key)
    }

    /// Lets go of what has expired.
    package mutating func removeExpired(now: Duration) {
        guard let nextExpiry, nextExpiry <= now else { return }
        values = values.filter { $0.value.isLive(at: now) }
        order = order.filter { values[$0] != nil }
        byteCount = values.reduce(0) { $0 + $1.key.bytes.count + $1.value.bytes.count }
        self.nextExpiry = values.values.compactMap(\.expiresAt).min()
    }

    /// The records that make an equal store, in the order of their versions.
    var records: [Kv_Record] {
        let kept = values.sorted { $0.value.version < $1.value.version }.map { key, value in
            Kv_Record.with {
                $0.version = value.version
                $0.key = key.bytes
                $0.value = value.bytes
                if let end = value.expiresAt {
                    $0.expiresAt = Google_Protobuf_Timestamp(durationSince1970: end)
                }
            }
        }
        // The last change may have been a removal.
        return kept + [.with { $0.version = version }]
    }
}
