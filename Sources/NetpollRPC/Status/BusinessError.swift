/// An application's own failure: an answer, not a fault of the call.
///
/// It travels as Kitex business status (`biz-status`, `biz-message`, `biz-extra`) and arrives as
/// the same value. Framed has no header to carry it: there the caller gets an empty reply, as from
/// Kitex, and the server logs a warning.
public struct BusinessError: Error, Sendable, Hashable {
    /// The application's code, never 0.
    public let status: Int32
    /// Words for people.
    public let message: String
    /// More facts, by name.
    public let extra: [String: String]

    /// Creates an error.
    ///
    /// Status 0 means success on the wire, so it is sent as -1.
    public init(_ status: Int32, _ message: String, extra: [String: String] = [:]) {
        self.status = status == 0 ? -1 : status
        self.message = message
        self.extra = extra
    }
}

extension BusinessError: CustomStringConvertible {
    /// The status and the message.
    public var description: String { "business error \(status): \(message)" }
}
