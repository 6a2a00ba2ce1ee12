public import NetpollCore

/// Two connections that are joined in memory, without an address, a network or a descriptor.
///
/// What one writes the other reads. They behave as connected sockets do, with 256 KiB of room in
/// each direction, but in the order in which their loops run. Both live on loops of one group.
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
    public init(
        group: EventLoopGroup,
        options: ConnectionOptions = ConnectionOptions(),
        makeHandler: (@Sendable (Connection) -> any ConnectionHandler)? = nil
    ) {
        (first, second) = Connection.makePair(group.next(), group.next(), (options, options))
        first.begin(nil)
        second.begin(makeHandler)
    }
}
