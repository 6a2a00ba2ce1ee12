import KeyValueAPI
import NetpollRPC

/// What the store answers instead of doing what it was asked for.
extension BusinessError {
    static func notFound(_ key: StoreKey) -> BusinessError {
        make(.notFound, "the key has no value", ["key": key.text])
    }

    static func versionConflict(_ key: StoreKey, actual: UInt64) -> BusinessError {
        make(
            .versionConflict,
            actual == 0 ? "the key has no value" : "the key has version \(actual)",
            ["key": key.text, "version": "\(actual)"]
        )
    }

    static func tooLarge(_ what: String, limit: Int) -> BusinessError {
        make(
            .tooLarge,
            "the \(what) is longer than \(limit) bytes",
            ["what": what, "limit": "\(limit)"]
        )
    }

    static func full(_ what: String, limit: Int) -> BusinessError {
        make(.full, "there is room for \(limit) \(what)", ["what": what, "limit": "\(limit)"])
    }

    private static func make(_ status: Kv_Status, _ message: String, _ extra: [String: String])
        -> BusinessError
    {
        BusinessError(Int32(status.rawValue), message, extra: extra)
    }
}
