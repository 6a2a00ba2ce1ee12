/// Whether messages travel with a CRC-32C of their payload.
///
/// A checksum finds bytes that were changed on the way where TCP's own did not, for instance by a
/// broken middle box. It covers the payload, not the header, and Framed cannot carry one.
///
/// One that arrives is verified whatever the choice here. A wrong one ends the connection, as does
/// a missing one that is required. A client's calls in flight then fail with
/// ``RPCError/Code/protocolViolation``; a server answers what came before and closes, so its
/// client's fail with ``RPCError/Code/unavailable``.
public enum PayloadChecksum: Sendable, Hashable {
    /// None is sent.
    case off
    /// One is sent with every message; the peer may leave it out.
    case sent
    /// One is sent with every message, and a message without one is refused.
    case required

    var isSent: Bool { self != .off }
}
