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

    init(_ reason: Reason, _ description: String) {
        self.reason = reason
        self.description = description
    }
}
