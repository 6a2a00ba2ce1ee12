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
    func encodeFields(into encoder: inout FieldEncoder) throws(ProtobufError)
    /// Takes the fields from a C image. For generated code.
    mutating func decodeFields(from decoder: FieldDecoder) throws(ProtobufError)
}

/// The bounds of decoding.
public struct DecodingOptions: Sendable {
    /// How deep messages and groups may nest.
    ///
    /// Default 100, as Google's runtimes.
    public var nestingLimit = 100
    /// Most bytes of memory that decoding may take for its C image; by default 64 times the
    /// input's length, at least 16 MiB.
    public var memoryLimit: Int?

    /// Creates the defaults.
    public init() {}

    func memoryLimit(for byteCount: Int) -> Int {
        memoryLimit ?? max(16 << 20, byteCount.multipliedReportingOverflow(by: 64).partialValue)
    }
}

/// How a message is written.
public struct EncodingOptions: Sendable {
    /// Whether equal messages always give equal bytes, by writing maps in the order of their keys.
    ///
    /// Costs time. The bytes are the same for one version of a type only, not across languages.
    public var isDeterministic = false

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

    /// Decodes a message.
    ///
    /// - Parameters:
    ///   - bytes: The message in wire form, at most `Int32.max` bytes.
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - options: The bounds of decoding.
    /// - Throws: ``ProtobufError``.
    public init(
        serializedBytes bytes: UnsafeRawBufferPointer,
        partial: Bool = false,
        options: DecodingOptions = DecodingOptions()
    ) throws(ProtobufError) {
        self.init()
        try decode(bytes, partial: partial, options: options)
    }

    /// Decodes a message; see ``init(serializedBytes:partial:options:)-(UnsafeRawBufferPointer,_,_)``.
    ///
    /// - Parameters:
    ///   - bytes: The message in wire form.
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - options: The bounds of decoding.
    /// - Throws: ``ProtobufError``.
    public init(
        serializedBytes bytes: [UInt8],
        partial: Bool = false,
        options: DecodingOptions = DecodingOptions()
    ) throws(ProtobufError) {
        self.init()
        try bytes.withRawBytes { (bytes) throws(ProtobufError) in
            try decode(bytes, partial: partial, options: options)
        }
    }

    /// Decodes a message; see ``init(serializedBytes:partial:options:)-(UnsafeRawBufferPointer,_,_)``.
    ///
    /// - Parameters:
    ///   - bytes: The message in wire form.
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - options: The bounds of decoding.
    /// - Throws: ``ProtobufError``.
    public init(
        serializedBytes bytes: RawSpan,
        partial: Bool = false,
        options: DecodingOptions = DecodingOptions()
    ) throws(ProtobufError) {
        self.init()
        try bytes.withUnsafeBytes { (bytes) throws(ProtobufError) in
            try decode(bytes, partial: partial, options: options)
        }
    }

    /// Decodes more fields into this message: later values win, repeated ones are added, and
    /// messages are merged.
    ///
    /// - Parameters:
    ///   - bytes: The fields in wire form.
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - options: The bounds of decoding.
    /// - Throws: ``ProtobufError``; the message is then unchanged.
    public mutating func merge(
        serializedBytes bytes: [UInt8],
        partial: Bool = false,
        options: DecodingOptions = DecodingOptions()
    ) throws(ProtobufError) {
        // On the wire, merging is concatenation.
        self = try Self(
            serializedBytes: try serializedBytes(partial: true) + bytes,
            partial: partial,
            options: options
        )
    }

    /// The message in wire form.
    ///
    /// - Parameters:
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - options: How the message is written.
    /// - Returns: The bytes.
    /// - Throws: ``ProtobufError``: `missingRequiredField`, or `tooLarge` above `Int32.max` bytes.
    public func serializedBytes(
        partial: Bool = false,
        options: EncodingOptions = EncodingOptions()
    ) throws(ProtobufError) -> [UInt8] {
        try withSerialization(partial: partial, options: options) { serialization in
            [UInt8](unsafeUninitializedCapacity: serialization.byteCount) { target, count in
                if let base = target.baseAddress {
                    serialization.write(to: UnsafeMutableRawPointer(base))
                }
                count = serialization.byteCount
            }
        }
    }

    /// The fields and their values, one a line.
    public var debugDescription: String { DebugText.describe(self) }
}
