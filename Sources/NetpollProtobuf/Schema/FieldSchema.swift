/// One field of a message type: its number, name and type.
public struct FieldSchema: Sendable {
    /// The type of a field's values on the wire.
    public indirect enum Kind: Sendable {
        case int32, int64, uint32, uint64, sint32, sint64
        case fixed32, fixed64, sfixed32, sfixed64, float, double
        case bool, string, bytes
        /// An enum; a closed one (proto2) tells which numbers it knows.
        case `enum`
        case closedEnum(@Sendable (Int32) -> Bool)
        /// A message. The closure is called when the type is first used, so types may be recursive.
        case message(@Sendable () -> MessageSchema)
        /// A message between a start and an end tag (proto2).
        case group(@Sendable () -> MessageSchema)
        /// A map with keys and values of two kinds.
        case map(key: Kind, value: Kind)

        /// A closed enum (proto2).
        public static func closed<E: Enum>(_ type: E.Type) -> Kind {
            .closedEnum { E(rawValue: Int($0)) != nil }
        }
    }

    /// How many values a field has.
    public enum Cardinality: Sendable {
        case singular
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

    /// Creates a field.
    ///
    /// A map is always repeated.
    public init(
        _ number: UInt32,
        _ name: String,
        _ kind: Kind,
        _ cardinality: Cardinality = .singular,
        oneof: Int? = nil
    ) {
        self.number = number
        self.name = name
        self.kind = kind
        if case .map = kind { self.cardinality = .repeated } else { self.cardinality = cardinality }
        self.oneof = oneof
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
        case .int32, .int64, .uint32, .uint64, .sint32, .sint64, .bool, .enum, .closedEnum: .varint
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
