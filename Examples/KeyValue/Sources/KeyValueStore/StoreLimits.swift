/// The bounds of a store.
package struct StoreLimits: Sendable {
    /// Longest key in bytes.
    ///
    /// A longer one is refused as too large.
    package var keyByteLimit = 1024
    /// Longest value in bytes.
    ///
    /// A longer one is refused as too large.
    package var valueByteLimit = 1 << 20
    /// Most keys.
    ///
    /// One more is refused as full; values of present keys can be replaced.
    package var keyLimit = 100_000
    /// Most bytes of all keys and values together.
    ///
    /// What would go beyond is refused as full.
    package var byteLimit = 256 << 20

    package init() {}
}
