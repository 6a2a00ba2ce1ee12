/// Bytes that are not the protocol, or that exceed a limit.
///
/// The connection cannot go on after it.
struct WireError: Error, Hashable, CustomStringConvertible {
    enum Reason: Hashable {
        case badMagic
        case badHeader
        case badPayload
        case tooLarge
        case badChecksum
    }
    let reason: Reason
    let description: String
    /// The sequence id of a frame that came whole and was taken off the stream.
    let sequenceID: Int32?

    init(_ reason: Reason, _ description: String, sequenceID: Int32? = nil) {
        self.reason = reason
        self.description = description
        self.sequenceID = sequenceID
    }
}
