/// How much a peer may send in one frame.
///
/// Checked before memory is taken for it.
public struct WireLimits: Sendable, Hashable {
    /// Most bytes of one frame, all headers included.
    ///
    /// Default 64 MiB.
    public var frameByteCount = 64 << 20
    /// Most bytes of one TTHeader block; the format's own limit is 262,140.
    ///
    /// Default 64 KiB.
    public var headerByteCount = 64 << 10
    /// Most key/value pairs in one TTHeader block.
    ///
    /// Default 1,024.
    public var headerPairCount = 1024

    /// Creates the defaults.
    public init() {}
}
