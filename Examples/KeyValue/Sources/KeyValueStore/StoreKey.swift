/// A key with its namespace, ordered by its bytes.
package struct StoreKey: Hashable, Comparable, Sendable {
    /// The namespace, a zero byte, and the key.
    let bytes: [UInt8]

    /// A key of a namespace, which contains no zero byte.
    package init(namespace: String, _ key: [UInt8]) { bytes = Array(namespace.utf8) + [0] + key }

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// The key without its namespace.
    package var key: [UInt8] { Array(bytes.drop { $0 != 0 }.dropFirst()) }

    /// The key for people.
    var text: String { String(decoding: key, as: UTF8.self) }

    package static func < (left: StoreKey, right: StoreKey) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}
