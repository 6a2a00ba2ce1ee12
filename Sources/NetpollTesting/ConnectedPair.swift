public import NetpollCore

/// Two connections that are joined in memory, without an address or a network (socketpair(2)).
///
/// What one writes the other reads. Both live on loops of one group.
public struct ConnectedPair: Sendable {
    /// One end.
    public let first: Connection
    /// The other end.
    public let second: Connection

    /// Creates a connected pair.
    ///
    /// - Parameters:
    ///   - group: The loops of both ends.
    ///   - options: The options of both ends.
    ///   - makeHandler: Called for the second end before its first byte is read; without one it is
    ///     read with `read(upTo:deadline:)`, as the first end is.
    /// - Throws: ``NetpollError`` when the system has no descriptors left.
    public init(
        group: EventLoopGroup,
        options: ConnectionOptions = ConnectionOptions(),
        makeHandler: (@Sendable (Connection) -> any ConnectionHandler)? = nil
    ) throws(NetpollError) {
        (first, second) = try Connection.makePair(
            group.next(),
            group.next(),
            options,
            makeHandler
        )
    }
}
