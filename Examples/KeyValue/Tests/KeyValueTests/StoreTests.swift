import KeyValueAPI
import NetpollProtobuf
import NetpollRPC
import Testing

@testable import KeyValueStore

@Suite("The store, without files and calls")
struct StoreTests {
    private var store = Store()
    private var limits = StoreLimits()
    private var now = Duration.seconds(1_000_000_000)

    private mutating func set(
        _ name: String,
        _ value: String = "value",
        ttl: Duration? = nil,
        expecting version: UInt64? = nil
    ) throws {
        let record = try store.set(
            key(name),
            to: Array(value.utf8),
            ttl: ttl,
            expectedVersion: version,
            limits: limits,
            now: now
        )
        store.apply(record)
    }

    private func status(_ body: () throws -> Void) -> Kv_Status? {
        let error = #expect(throws: BusinessError.self) { try body() }
        return error.flatMap { Kv_Status(rawValue: Int($0.status)) }
    }

    @Test("compare-and-set takes the version that is there, and 0 for none")
    mutating func compareAndSet() throws {
        var store = self
        #expect(status { try store.set("a", expecting: 1) } == .versionConflict)
        try set("a", "first", expecting: 0)
        store = self
        #expect(status { try store.set("a", expecting: 0) } == .versionConflict)
        try set("a", "second", expecting: 1)
        #expect(self.store.value(of: key("a"), now: now)?.bytes == Array("second".utf8))
        #expect(self.store.value(of: key("a"), now: now)?.version == 2)
    }

    @Test("a version does not come back with a key that was removed")
    mutating func removal() throws {
        try set("a")
        store.apply(try store.remove(key("a"), now: now))
        let copy = self
        #expect(status { _ = try copy.store.remove(key("a"), now: copy.now) } == .notFound)
        try set("a", expecting: 0)
        #expect(store.value(of: key("a"), now: now)?.version == 3)
    }

    @Test("a value is gone at the end of its time, and its room once that is noticed")
    mutating func expiry() throws {
        try set("short", ttl: .seconds(2))
        try set("long", ttl: .seconds(3))
        now += .seconds(2)
        #expect(store.value(of: key("short"), now: now) == nil)
        #expect(store.value(of: key("long"), now: now) != nil)
        store.removeExpired(now: now)
        #expect(store.values.count == 1)
        #expect(store.byteCount == key("long").bytes.count + "value".utf8.count)
        try set("long")
        now += .seconds(10)
        store.removeExpired(now: now)
        #expect(store.value(of: key("long"), now: now) != nil)
    }

    @Test("every bound is kept, and values of present keys can be replaced at it")
    mutating func bounds() throws {
        limits.keyByteLimit = 4
        limits.valueByteLimit = 10
        limits.keyLimit = 2
        try set("aaaa", "0123456789")
        var copy = self
        #expect(status { try copy.set("aaaaa") } == .tooLarge)
        #expect(status { try copy.set("a", "0123456789+") } == .tooLarge)
        try set("b")
        copy = self
        #expect(status { try copy.set("c") } == .full)
        limits.byteLimit = store.byteCount
        copy = self
        #expect(status { try copy.set("b", "longer") } == .full)
        try set("b", "less")
        try set("b", "value")
        #expect(store.byteCount == limits.byteLimit)
    }

    @Test("pages hold the keys of a prefix, each once, in order, whatever their size")
    mutating func pages() throws {
        let names = ["b", "b1", "b10", "b2", "c", "a", "bb"]
        for name in names { try set(name) }
        try set("b3", ttl: .seconds(1))
        now += .seconds(1)
        for (limit, byteLimit) in [(1, 1000), (2, 1000), (3, 1000), (100, 1000), (100, 1)] {
            var found: [StoreKey] = []
            var hasMore = true
            while hasMore {
                let page = store.page(
                    prefix: key("b"),
                    after: found.last,
                    limit: limit,
                    byteLimit: byteLimit,
                    now: now
                )
                found += page.entries.map(\.key)
                hasMore = page.hasMore
            }
            #expect(found == ["b", "b1", "b10", "b2", "bb"].map(key))
        }
    }

    @Test("the records of a store make an equal one")
    mutating func records() throws {
        for number in 0..<20 { try set("\(number * 7 % 20)", ttl: .seconds(number + 1)) }
        try set("3")
        store.apply(try store.remove(key("5"), now: now))
        #expect(Store(store.records) == store)
        #expect(Store(store.records).version == 22)
    }
}
