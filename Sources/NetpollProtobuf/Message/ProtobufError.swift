/// Why a message could not be decoded or encoded.
public struct ProtobufError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of failure.
    ///
    /// New codes may be added; switch with a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String, Sendable {
            case truncated, malformed, invalidUTF8, tooDeep, tooLarge, missingRequiredField
        }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// The bytes end inside a field.
        public static let truncated = Code(.truncated)
        /// A tag, length or number breaks the wire format.
        public static let malformed = Code(.malformed)
        /// A string field does not hold UTF-8.
        public static let invalidUTF8 = Code(.invalidUTF8)
        /// Messages are nested more deeply than the limit.
        public static let tooDeep = Code(.tooDeep)
        /// The bytes, or the memory they would need, exceed a limit.
        public static let tooLarge = Code(.tooLarge)
        /// A required field (proto2) has no value.
        public static let missingRequiredField = Code(.missingRequiredField)

        /// The code's name.
        public var description: String { value.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// What was wrong, and in which message.
    public let message: String

    /// Creates an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The code and the message.
    public var description: String { "\(code): \(message)" }
}
