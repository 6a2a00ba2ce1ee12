/// What the scanner and the normaliser need to know of one field.
struct FieldEntry {
    /// What the scanner does with a value.
    enum Content: UInt8 {
        /// Nothing beyond the wire type.
        case plain
        /// A string that must be UTF-8.
        case strictString
        /// A number that a closed enum may not know.
        case closedEnum
        /// A message or group.
        case message
        /// An entry of a map.
        case mapEntry
        /// An entry of a map with a closed enum for its values.
        case closedEnumEntry
    }

    let number: UInt32
    let wireType: WireType
    let content: Content
    let isRepeated: Bool
    /// Repeated numbers may come one by one or packed, whatever the schema says.
    let mayBePacked: Bool
    /// A position shared by fields of which only one may occur, and once, in what libprotobuf-c
    /// gets: the members of a oneof, a singular message, a strict string.
    ///
    /// -1 for the others.
    let exclusive: Int16
    /// The oneof that the field belongs to, or -1.
    let oneof: Int32
    let isKnownNumber: (@Sendable (Int32) -> Bool)?

    init(_ field: FieldSchema, exclusive: Int16, isStrict: Bool) {
        number = field.number
        wireType = field.kind.wireType
        isRepeated = field.cardinality != .singular
        mayBePacked = isRepeated && field.kind.isPackable
        self.exclusive = exclusive
        oneof = field.oneof.map { Int32(clamping: $0) } ?? -1
        switch field.kind {
        case .enum(let type) where type.isKnown != nil:
            isKnownNumber = type.isKnown
            content = .closedEnum
        case .map(_, .enum(let type)) where type.isKnown != nil:
            isKnownNumber = type.isKnown
            content = .closedEnumEntry
        case .map:
            isKnownNumber = nil
            content = .mapEntry
        case .message, .group:
            isKnownNumber = nil
            content = .message
        case .string where isStrict:
            isKnownNumber = nil
            content = .strictString
        default:
            isKnownNumber = nil
            content = .plain
        }
    }

    /// The entries of a type's fields, with positions for those that may occur only once.
    static func make(_ fields: [FieldSchema], isStrict: Bool) -> [FieldEntry] {
        var positions = (fields.compactMap(\.oneof).max() ?? -1) + 1
        return fields.map { field in
            var exclusive: Int?
            if let oneof = field.oneof {
                exclusive = oneof
            } else if field.cardinality == .singular, field.kind.isExclusive(isStrict) {
                exclusive = positions
                positions += 1
            }
            return FieldEntry(
                field,
                exclusive: Int16(clamping: exclusive ?? -1),
                isStrict: isStrict
            )
        }
    }
}

extension FieldSchema.Kind {
    fileprivate var isPackable: Bool {
        wireType != .lengthDelimited && wireType != .startGroup
    }

    /// Whether a singular field's occurrences are merged, or must each be looked at.
    fileprivate func isExclusive(_ isStrict: Bool) -> Bool {
        switch self {
        case .message, .group: true
        case .string: isStrict
        default: false
        }
    }
}
