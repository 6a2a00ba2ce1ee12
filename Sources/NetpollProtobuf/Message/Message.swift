/// A protobuf message.
///
/// Generated types conform; the API is SwiftProtobuf's, so code moves over.
public protocol Message: Sendable, Hashable, CustomDebugStringConvertible {
    /// Creates a message with all fields at their defaults.
    init()
    /// The full name in the `.proto` file.
    static var protoMessageName: String { get }
    /// Fields that arrived and that this type does not know; written back on encoding.
    var unknownFields: UnknownFields { get set }

    /// The fields' names, numbers and types. For generated code.
    static var messageSchema: MessageSchema { get }
    /// Stores the fields in a C image. For generated code.
    ///
    /// - Throws: ``ProtobufError``: what is wrong in a field.
    func encodeFields(into encoder: inout FieldEncoder) throws(ProtobufError)
    /// Takes the fields from a C image. For generated code.
    ///
    /// - Throws: ``ProtobufError``: what is wrong in a field.
    mutating func decodeFields(from decoder: FieldDecoder) throws(ProtobufError)
    /// Takes the fields that the type does not know. For the runtime.
    ///
    /// - Throws: ``ProtobufError``: what is wrong in an extension.
    mutating func decodeUnknownFields(_ decoder: UnknownFieldDecoder) throws(ProtobufError)
}

/// The bounds of decoding.
public struct BinaryDecodingOptions: Sendable {
    static let defaultMessageDepthLimit = 100

    /// How deep messages and groups may nest in the outermost message.
    ///
    /// Default 100, as Google's runtimes. A level takes up to about five KiB of stack
    /// in release builds, for types of hundreds of fields more.
    public var messageDepthLimit = Self.defaultMessageDepthLimit
    /// Most bytes of memory that decoding may take for its scratch memory and for the messages in
    /// the message, which cost the size of their Swift types each.
    ///
    /// By default 16 MiB and 128 times the input's length: input of at least seven bytes for each
    /// element of a list passes however many fields its type has within reason, and a megabyte of
    /// empty elements does not become a gigabyte.
    public var memoryLimit: Int?
    /// Whether fields that a type does not know are dropped, instead of kept and written back.
    ///
    /// Default: false.
    public var discardUnknownFields = false

    /// Creates the defaults.
    public init() {}

    func memoryLimit(for byteCount: Int) -> Int {
        memoryLimit ?? (16 << 20) + 128 * min(byteCount, Int(Int32.max))
    }
}

/// How a message is written.
public struct BinaryEncodingOptions: Sendable {
    /// Whether equal messages always give equal bytes, by writing maps in the order of their keys.
    ///
    /// Default false: it costs time. The bytes are the same for one version of a type only, not
    /// across languages.
    public var useDeterministicOrdering = false
    /// How deep messages and groups may nest in the outermost message.
    ///
    /// Default 100, which is what readers accept.
    public var messageDepthLimit = 100

    /// Creates the defaults.
    public init() {}
}

extension Message {
    /// Creates a message and fills it in.
    ///
    /// - Throws: What `populate` throws.
    public static func with(_ populate: (inout Self) throws -> Void) rethrows -> Self {
        var message = Self()
        try populate(&message)
        return message
    }

    /// Whether all required fields (proto2) have values, in this message and in those in it.
    ///
    /// Takes about as long as encoding.
    public var isInitialized: Bool {
        do {
            try withImage(partial: false, options: BinaryEncodingOptions()) { (_, _) in }
            return true
        } catch {
            return error.code != .missingRequiredField
        }
    }

    /// The type's name, and the fields with their values much as in protobuf's text format; enums
    /// as numbers.
    ///
    /// For people: the text may change.
    public var debugDescription: String { DebugText.describe(self) }
}
