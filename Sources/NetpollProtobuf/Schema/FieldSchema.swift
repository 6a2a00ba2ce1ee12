/// One field of a message type: its number, name and type.
public struct FieldSchema: Sendable {
    /// The type of a field's values on the wire.
    public indirect enum Kind: Sendable {
        /// A varint of 32 bits; ten bytes when negative.
        case int32
        /// A varint of 64 bits; ten bytes when negative.
        case int64
        /// A varint of 32 bits without sign.
        case uint32
        /// A varint of 64 bits without sign.
        case uint64
        /// A varint of 32 bits in zigzag form, short for small negative numbers.
        case sint32
        /// A varint of 64 bits in zigzag form, short for small negative numbers.
        case sint64
        /// Four bytes without sign.
        case fixed32
        /// Eight bytes without sign.
        case fixed64
        /// Four bytes.
        case sfixed32
        /// Eight bytes.
        case sfixed64
        /// A number of IEEE 754 in four bytes.
        case float
        /// A number of IEEE 754 in eight bytes.
        case double
        /// A varint that is 0 or 1.
        case bool
        /// UTF-8 with its length before it.
        case string
        /// Bytes with their length before them.
        case bytes
        /// A varint that is one of an enum's numbers.
        case `enum`(EnumSchema)
        /// A message. The closure is called when the type is first used, so types may be recursive.
        case message(@Sendable () -> MessageSchema)
        /// A message between a start and an end tag (proto2).
        case group(@Sendable () -> MessageSchema)
        /// A map with keys and values of two kinds.
        case map(key: Kind, value: Kind)

        /// An enum that keeps numbers it does not know (proto3).
        public static func open<E: Enum>(_ type: E.Type) -> Kind { .enum(EnumSchema(open: type)) }

        /// An enum that knows all its numbers (proto2).
        public static func closed<E: Enum>(_ type: E.Type) -> Kind {
            .enum(EnumSchema(closed: type))
        }
    }

    /// How many values a field has.
    public enum Cardinality: Sendable {
        /// At most one.
        case singular
        /// Any number, each with its own tag.
        case repeated
        /// Repeated, and written as one run of values.
        case packed
    }

    let number: UInt32
    let name: String
    let kind: Kind
    let cardinality: Cardinality
    /// The oneof that the field belongs to, counted within its message.
    let oneof: Int?
    /// The name in JSON, if it is not the usual one.
    let customJSONName: String?
    /// Whether a proto3 field was declared `optional`.
    let isOptional: Bool

    /// Creates a field.
    ///
    /// - Parameters:
    ///   - number: The field's number.
    ///   - name: The name in the `.proto` file.
    ///   - kind: The type of its values.
    ///   - cardinality: How many values it has; a map is always repeated.
    ///   - oneof: The oneof that it belongs to, counted within its message.
    ///   - jsonName: The name in JSON, if it is not `name` in lowerCamelCase.
    ///   - isOptional: Whether it was declared `optional` in a proto3 file.
    public init(
        _ number: UInt32,
        _ name: String,
        _ kind: Kind,
        _ cardinality: Cardinality = .singular,
        oneof: Int? = nil,
        jsonName: String? = nil,
        isOptional: Bool = false
    ) {
        self.number = number
        self.name = name
        self.kind = kind
        if case .map = kind { self.cardinality = .repeated } else { self.cardinality = cardinality }
        self.oneof = oneof
        customJSONName = jsonName
        self.isOptional = isOptional
    }
}

enum WireType: UInt8 {
    case varint = 0
    case fixed64 = 1
    case lengthDelimited = 2
    case startGroup = 3
    case endGroup = 4
    case fixed32 = 5
}

extension FieldSchema.Kind {
    var wireType: WireType {
        switch self {
        case .int32, .int64, .uint32, .uint64, .sint32, .sint64, .bool, .enum: .varint
        case .fixed64, .sfixed64, .double: .fixed64
        case .fixed32, .sfixed32, .float: .fixed32
        case .string, .bytes, .message, .map: .lengthDelimited
        case .group: .startGroup
        }
    }

    /// The type of a message or group.
    var messageSchema: MessageSchema? {
        switch self {
        case .message(let resolve), .group(let resolve): resolve()
        default: nil
        }
    }
}
