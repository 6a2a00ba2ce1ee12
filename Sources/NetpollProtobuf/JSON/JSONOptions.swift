/// How messages are written as JSON.
public struct JSONEncodingOptions: Sendable {
    /// Whether enums are written as numbers instead of names.
    ///
    /// Default: false.
    public var alwaysPrintEnumsAsInts = false
    /// Whether 64-bit integers are written as numbers instead of strings.
    ///
    /// Many JSON readers lose digits above 2^53. Default: false.
    public var alwaysPrintInt64sAsNumbers = false
    /// Whether fields have the names of the `.proto` file instead of those in lowerCamelCase.
    ///
    /// Default: false.
    public var preserveProtoFieldNames = false
    /// Whether fields that cannot tell "not set" from their default are written even at their
    /// default: lists, maps and proto3 values without `optional`.
    ///
    /// Default: false.
    public var alwaysPrintFieldsWithNoPresence = false
    /// Whether equal messages always give equal text, by writing maps in the order of their keys.
    ///
    /// Default: false.
    public var useDeterministicOrdering = false
    /// How deep messages may nest, those in a `google.protobuf.Any` and maps' entries included.
    ///
    /// Default 100, as when decoding.
    public var messageDepthLimit = 100
    /// The types of messages in `google.protobuf.Any`.
    ///
    /// Default: the well-known types.
    public var typeRegistry = TypeRegistry()

    /// Creates the defaults.
    public init() {}
}

/// The bounds and rules of decoding JSON.
public struct JSONDecodingOptions: Sendable {
    /// Whether fields that the message type does not have, and names that an enum does not have,
    /// are skipped instead of being an error.
    ///
    /// Default: false.
    public var ignoreUnknownFields = false
    /// How deep messages may nest, counted as in binary form: a map's entry is a message, a
    /// `google.protobuf.Value` in a list is two.
    ///
    /// Default 100, as Google's runtimes.
    public var messageDepthLimit = 100
    /// Most bytes of text.
    ///
    /// Default 64 MiB.
    public var byteLimit = 64 << 20
    /// Most bytes of memory that decoding may take beside the text and the message: see
    /// ``BinaryDecodingOptions/memoryLimit``, whose default counts here too.
    public var memoryLimit: Int?
    /// The types of messages in `google.protobuf.Any`.
    ///
    /// Default: the well-known types.
    public var typeRegistry = TypeRegistry()

    /// Creates the defaults.
    public init() {}

    /// The bounds for the binary form that JSON is turned into.
    var binary: BinaryDecodingOptions {
        var options = BinaryDecodingOptions()
        options.messageDepthLimit = messageDepthLimit
        options.memoryLimit = memoryLimit
        return options
    }
}
