import Foundation
import Logging
import NetpollRPC
import Testing

@testable import KeyValueStore

@Suite("The store and its file")
struct DatabaseTests {
    private let clock = HandClock()

    private func open(_ path: String, limits: StoreLimits = StoreLimits()) throws -> Database {
        let clock = clock
        return try Database(
            at: path,
            sync: .never,
            limits: limits,
            logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() },
            clock: { clock.now }
        )
    }

    private func contents(_ database: Database) -> [String: [UInt8]] {
        let page = database.page(prefix: key(""), after: nil, limit: .max, byteLimit: .max)
        return Dictionary(
            uniqueKeysWithValues: page.entries.map {
                (String(decoding: $0.key.key, as: UTF8.self), $0.value.bytes)
            }
        )
    }

    @Test("what was acknowledged before a crash at any byte of the last writes is there after it")
    func recovery() async throws {
        try await withFolder { path in
            // What the store had when the file had so many bytes.
            var states: [(byteCount: Int, contents: [String: [UInt8]])] = []
            let file = URL(fileURLWithPath: "\(path)/log")
            do {
                let database = try open(path)
                func note() throws {
                    states.append((try Data(contentsOf: file).count, contents(database)))
                }
                try note()
                for number in 0..<8 {
                    _ = try database.set(key("\(number % 3)"), to: [UInt8(number)], ttl: nil)
                    try note()
                }
                _ = try database.remove(key("1"))
                try note()
            }
            let whole = try Data(contentsOf: file)
            for length in states[0].byteCount...whole.count {
                try whole.prefix(length).write(to: file)
                let expected = states.last { $0.byteCount <= length }?.contents
                // A second recovery finds what the first has left.
                for _ in 0..<2 { #expect(contents(try open(path)) == expected) }
            }
        }
    }

    @Test("writing goes on behind a torn end that was cut off")
    func writingAfterCut() async throws {
        try await withFolder { path in
            _ = try open(path).set(key("a"), to: [1], ttl: nil)
            let file = URL(fileURLWithPath: "\(path)/log")
            try (Data(contentsOf: file) + [40, 0, 0, 0, 1]).write(to: file)
            #expect(try open(path).set(key("b"), to: [2], ttl: nil) == 2)
            #expect(contents(try open(path)) == ["a": [1], "b": [2]])
        }
    }

    @Test("a TTL goes on while no server runs")
    func expiryAcrossRestarts() async throws {
        try await withFolder { path in
            _ = try open(path).set(key("a"), to: [1], ttl: .seconds(10))
            clock.advance(by: .seconds(9))
            #expect(contents(try open(path)) == ["a": [1]])
            clock.advance(by: .seconds(1))
            #expect(contents(try open(path)) == [:])
        }
    }

    @Test("compaction keeps what is there, versions, and changes that come meanwhile")
    func compaction() async throws {
        try await withFolder { path in
            let database = try open(path)
            let big = [UInt8](repeating: 7, count: 200_000)
            for _ in 0..<10 { _ = try database.set(key("big"), to: big, ttl: nil) }
            let last = try database.set(key("removed"), to: [1], ttl: nil)
            _ = try database.remove(key("removed"))
            let changes = Task {
                for number in 0..<100 {
                    _ = try database.set(key("\(number)"), to: [UInt8(number)], ttl: nil)
                }
            }
            database.tidy()
            try await changes.value
            let size = try Data(contentsOf: URL(fileURLWithPath: "\(path)/log")).count
            #expect(size < 300_000)
            let found = contents(database)
            #expect(found.count == 101)
            #expect(throws: LogError.inUse) { try open(path) }
            #expect(try database.set(key("x"), to: [], ttl: nil) == last + 102)
        }
    }

    @Test("a database that was compacted comes back the same")
    func reopening() async throws {
        try await withFolder { path in
            let before: [String: [UInt8]]
            do {
                let database = try open(path)
                for number in 0..<50 {
                    _ = try database.set(key("\(number)"), to: [UInt8(number)], ttl: nil)
                }
                _ = try database.remove(key("49"))
                try database.compact()
                _ = try database.set(key("after"), to: [1], ttl: nil)
                before = contents(database)
            }
            let database = try open(path)
            #expect(contents(database) == before)
            #expect(try database.set(key("x"), to: [], ttl: nil) == 53)
        }
    }

    @Test("a file of something else is left alone")
    func otherFile() async throws {
        try await withFolder { path in
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true
            )
            let file = URL(fileURLWithPath: "\(path)/log")
            try Data("precious".utf8).write(to: file)
            #expect(throws: LogError.notALog) { try open(path) }
            #expect(try Data(contentsOf: file) == Data("precious".utf8))
        }
    }

    @Test("changes that come together are all on the disk when they are acknowledged")
    func groupCommit() async throws {
        try await withFolder { path in
            let logger = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
            let database = try Database(at: path, sync: .always, logger: logger)
            let versions = try await withThrowingTaskGroup(of: UInt64.self) { group in
                for number in 0..<50 {
                    group.addTask { try database.set(key("\(number)"), to: [1], ttl: nil) }
                }
                return try await group.reduce(into: Set<UInt64>()) { $0.insert($1) }
            }
            #expect(versions == Set(1...50))
        }
    }
}
