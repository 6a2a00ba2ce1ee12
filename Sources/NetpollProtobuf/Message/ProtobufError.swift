/// Why a message could not be decoded or encoded.
public struct ProtobufError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of failure.
    ///
    /// New codes may be added; switch with a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String, Sendable {
            case truncated, malformed, invalidUTF8, tooDeep, tooLarge, missingRequiredField
            case unknownField, duplicateField, invalidValue, unknownType
        }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// The bytes end inside a field.
        public static let truncated = Code(.truncated)
        /// A tag, length or number breaks the wire format, or the text is not JSON.
        public static let malformed = Code(.malformed)
        /// A string field does not hold UTF-8.
        public static let invalidUTF8 = Code(.invalidUTF8)
        /// Messages are nested more deeply than the limit.
        public static let tooDeep = Code(.tooDeep)
        /// The bytes, or the memory they would need, exceed a limit.
        public static let tooLarge = Code(.tooLarge)
        /// A required field (proto2) has no value.
        public static let missingRequiredField = Code(.missingRequiredField)
        /// JSON names a field that the message type does not have.
        public static let unknownField = Code(.unknownField)
        /// JSON gives a field, a map's key or a oneof two values.
        public static let duplicateField = Code(.duplicateField)
        /// A value is not of its field's type or range, or has no form in JSON.
        public static let invalidValue = Code(.invalidValue)
        /// The message in a `google.protobuf.Any` is of another type, or of one that is not
        /// registered.
        public static let unknownType = Code(.unknownType)

        /// The code's name.
        public var description: String { value.rawValue }
    }

    /// On the heap, so that an error is one word where functions return it.
    private final class Content: Sendable {
        let code: Code
        let reason: String
        let offset: Int?
        let path: String
        let depth: Int

        init(_ code: Code, _ reason: String, _ offset: Int?, path: String = "", depth: Int = 0) {
            self.code = code
            self.reason = reason
            self.offset = offset
            self.path = path
            self.depth = depth
        }
    }
    private let content: Content
    private static let longestPath = 32

    /// The kind of failure.
    public var code: Code { content.code }
    /// Where it happened: the full name of the message type that was decoded or encoded, and from
    /// there the fields, as in `shop.Order.items[3].price`.
    ///
    /// At most 32 fields; empty if unknown.
    public var path: String { content.path }
    /// What was wrong, without values of the message.
    public var reason: String { content.reason }
    /// The place in a JSON text, in bytes from its start.
    public var offset: Int? { content.offset }

    /// Creates an error.
    public init(_ code: Code, _ reason: String, offset: Int? = nil) {
        content = Content(code, reason, offset)
    }

    private init(_ content: Content) { self.content = content }

    /// The path and the reason.
    public var message: String { path.isEmpty ? reason : "\(path): \(reason)" }

    /// The code, the place in the text, the path and the reason.
    public var description: String {
        "\(code)\(offset.map { " at byte \($0)" } ?? ""): \(message)"
    }
}

extension ProtobufError {
    /// Whether code, place, path and reason are the same.
    public static func == (left: ProtobufError, right: ProtobufError) -> Bool {
        left.code == right.code && left.message == right.message && left.offset == right.offset
    }

    /// Hashes the code, the path and the reason.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
        hasher.combine(message)
    }

    /// The error as seen from the message around, in which it happened at a field.
    func inside(_ field: String, at position: Int? = nil) -> ProtobufError {
        // The innermost fields say most.
        let isShown = content.depth < Self.longestPath
        let step = isShown ? ".\(field)" + (position.map { "[\($0)]" } ?? "") : ""
        return ProtobufError(
            Content(code, reason, offset, path: step + path, depth: content.depth + 1)
        )
    }

    /// The error as seen by the caller, who decodes or encodes a message of this type.
    func inside(message name: String) -> ProtobufError {
        let gap = content.depth > Self.longestPath ? "…" : ""
        return ProtobufError(Content(code, reason, offset, path: name + gap + path))
    }

    static let truncated = ProtobufError(.truncated, "the bytes end inside a field")
    @usableFromInline static let tooDeep = ProtobufError(
        .tooDeep,
        "messages are nested more deeply than the limit"
    )
    static let memoryLimit = ProtobufError(.tooLarge, "more memory is needed than the limit")
    static let invalidUTF8 = ProtobufError(.invalidUTF8, "the string is not UTF-8")
    static let missing = ProtobufError(.missingRequiredField, "the required field has no value")

    static func tooLarge(_ byteCount: Int) -> ProtobufError {
        ProtobufError(.tooLarge, "\(byteCount) bytes exceed 2 GiB")
    }
}
