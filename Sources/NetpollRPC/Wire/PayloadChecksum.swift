/// Whether messages travel with a CRC-32C of their payload.
///
/// A checksum finds bytes that were changed on the way where TCP's own did not, for instance by a
/// broken middle box. It covers the payload, not the header. One that arrives is verified whatever
/// the choice here; a wrong one ends the connection, as does a missing one that is required: the
/// calls in flight on it fail with ``RPCError/Code/protocolViolation``. Framed cannot carry one.
public enum PayloadChecksum: Sendable, Hashable {
    /// None is sent.
    case off
    /// One is sent with every message; the peer may leave it out.
    case sent
    /// One is sent with every message, and a message without one is refused.
    case required

    var isSent: Bool { self != .off }
}
