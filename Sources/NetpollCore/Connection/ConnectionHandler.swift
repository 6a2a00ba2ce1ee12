/// What lives on a connection and reacts to it.
///
/// Called on the connection's loop only.
///
/// Order of calls: any number of ``connection(_:didReceive:)`` and
/// ``connectionDidDrainOutput(_:)``, at most one ``connectionDidReachEnd(_:)``, and last, exactly
/// once, ``connection(_:didCloseWith:)``.
public protocol ConnectionHandler: AnyObject, Sendable {
    /// Bytes arrived. Take what is complete from `input` and leave the rest.
    ///
    /// A handler that leaves as many bytes as ``ConnectionOptions/readHighWaterMark`` must have asked
    /// for more than that or paused reading; else the connection is closed with `limitExceeded`.
    ///
    /// - Returns: How many bytes `input` must hold before another call is useful, or 0 if unknown.
    ///   The connection uses it to receive the whole message into one block.
    func connection(_ connection: Connection, didReceive input: inout LinkBuffer) -> Int

    /// The peer sent its last byte. The connection can still be written.
    func connectionDidReachEnd(_ connection: Connection)

    /// Everything that was written has been taken by the kernel, after it had to wait or was more than
    /// ``ConnectionOptions/writeHighWaterMark``.
    func connectionDidDrainOutput(_ connection: Connection)

    /// The connection is gone. `error` tells what broke it; it is `nil` for a close in good order, by
    /// this side or, after ``connectionDidReachEnd(_:)``, by the peer.
    func connection(_ connection: Connection, didCloseWith error: NetpollError?)
}

extension ConnectionHandler {
    /// Does nothing.
    public func connectionDidDrainOutput(_ connection: Connection) {}
}
