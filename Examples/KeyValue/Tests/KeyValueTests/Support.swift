import Foundation
import Synchronization

@testable import KeyValueStore

/// A folder of its own for a test, gone after it.
func withFolder<R>(_ body: (String) async throws -> R) async throws -> R {
    let path = NSTemporaryDirectory() + "kv-tests-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

/// A wall clock that stands still until it is moved.
final class HandClock: Sendable {
    private let time = Mutex(Duration.seconds(1_000_000_000))

    var now: Duration { time.withLock { $0 } }

    func advance(by duration: Duration) { time.withLock { $0 += duration } }
}

func key(_ text: String) -> StoreKey { StoreKey(namespace: "tests", Array(text.utf8)) }
