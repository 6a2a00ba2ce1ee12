/// A secret that proves who calls.
///
/// Its description hides it, so that it does not get into logs by chance.
public struct AccessToken: Sendable {
    let text: String

    /// Creates a token; its text must be a value that metadata can carry: UTF-8, not empty, at most
    /// 65,535 bytes.
    public init(_ text: String) { self.text = text }

    /// Whether another text is this token's.
    ///
    /// Takes a time that depends on the length of `candidate` alone, so that a caller cannot find
    /// the token byte by byte with a clock.
    func matches(_ candidate: String) -> Bool {
        let expected = Array(text.utf8)
        let given = Array(candidate.utf8)
        // An empty secret is no secret.
        guard !expected.isEmpty else { return false }
        var difference = expected.count ^ given.count
        for index in given.indices {
            difference |= Int(given[index] ^ expected[index % expected.count])
        }
        return difference == 0
    }
}

extension AccessToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Says that there is a token, not which.
    public var description: String { "AccessToken(hidden)" }
    /// As ``description``.
    public var debugDescription: String { description }
    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// The metadata key under which tokens travel unless another is given.
    public static let defaultKey = "authorization"
}
