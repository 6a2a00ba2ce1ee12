internal import CProtobufC

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// The C image of a message: libprotobuf-c's header, then a slot of 24 bytes for each field.
///
/// A slot is 8 bytes of quantifier (whether a singular field is there, or how many elements a
/// repeated one has) and 16 bytes of value (the number itself, a length and pointer, or a pointer).
enum ImageLayout {
    static let headerByteCount = MemoryLayout<ProtobufCMessage>.size
    static let slotByteCount = 24
    static let valueOffset = 8

    static func slotOffset(_ slot: Int) -> Int { headerByteCount + slot * slotByteCount }
}

/// What a schema points to: constant once it is made, and never freed.
///
/// There are two descriptors for libprotobuf-c, with the same layout. On encoding, a message in
/// another one is a message. On decoding it is bytes, and Swift decodes them in their turn: so the
/// image of one message at a time is in memory, nesting is counted where it happens, and a type's
/// table does not need those of the types in it.
struct MessageTable {
    let name: String
    let fields: [FieldSchema]
    let repairsStrings: Bool
    let isMessageSet: Bool
    let extensibleType: (any ExtensibleMessage.Type)?
    let fieldNames = LazyFieldNames()
    let encoding: UnsafePointer<ProtobufCMessageDescriptor>
    let decoding: UnsafePointer<ProtobufCMessageDescriptor>
    let imageByteCount: Int
    /// Most bytes that the encoding of a message takes beyond what its strings, lists and messages
    /// add.
    let byteCountBound: Int
    /// In the order of the fields.
    let entries: UnsafePointer<FieldEntry>
    /// By tag.
    let steps: UnsafeBufferPointer<ScanStep>
    /// The types of the entries of maps, in the order of the fields.
    let mapEntries: UnsafePointer<MessageSchema?>
    /// Index into `entries` by number for small numbers, -1 for none.
    private let small: UnsafePointer<Int16>
    private let smallCount: UInt32
    private let large: [UInt32: Int]

    private static let smallNumberLimit = 256

    init(
        _ name: String,
        _ fields: [FieldSchema],
        repairsStrings: Bool,
        isMessageSet: Bool,
        extensibleType: (any ExtensibleMessage.Type)?
    ) {
        self.name = name
        self.fields = fields
        self.repairsStrings = repairsStrings
        self.isMessageSet = isMessageSet
        self.extensibleType = extensibleType
        let entries = FieldEntry.make(fields, isStrict: !repairsStrings)
        self.entries = UnsafePointer(Self.immortal(entries))
        let steps = ScanStep.make(entries, numberLimit: UInt32(Self.smallNumberLimit))
        self.steps = UnsafeBufferPointer(start: Self.immortal(steps), count: steps.count)
        imageByteCount = ImageLayout.slotOffset(fields.count)
        byteCountBound = fields.count * EncodingContext.valueByteCount
        let names = fields.map { UnsafePointer(Self.immortal($0.name)) }
        encoding = Self.makeDescriptor(name, fields, names) { $0.encodingType }
        decoding = Self.makeDescriptor(name, fields, names) { $0.decodingType }
        mapEntries = UnsafePointer(
            Self.immortal(fields.map { Self.mapEntry($0, in: name, repairsStrings) })
        )
        let highest = fields.map(\.number).filter { Int($0) < Self.smallNumberLimit }.max()
        var small = [Int16](repeating: -1, count: highest.map { Int($0) + 1 } ?? 0)
        var large: [UInt32: Int] = [:]
        for (index, field) in fields.enumerated() {
            if let position = Int(exactly: field.number), position < small.count,
                let index = Int16(exactly: index)
            {
                small[position] = index
            } else {
                large[field.number] = index
            }
        }
        self.small = UnsafePointer(Self.immortal(small))
        smallCount = UInt32(small.count)
        self.large = large
    }

    /// The field of a number.
    @inline(__always)
    func entryIndex(_ number: UInt32) -> Int? {
        guard number < smallCount else { return large.isEmpty ? nil : large[number] }
        let index = small[Int(number)]
        return index < 0 ? nil : Int(index)
    }
}

// MARK: - Preparation

extension MessageTable {
    private static func mapEntry(
        _ field: FieldSchema,
        in message: String,
        _ repairsStrings: Bool
    ) -> MessageSchema? {
        guard case .map(let key, let value) = field.kind else { return nil }
        return MessageSchema(
            message,
            [FieldSchema(1, "key", key), FieldSchema(2, "value", value)],
            repairsStrings: repairsStrings
        )
    }

    private static func makeDescriptor(
        _ name: String,
        _ fields: [FieldSchema],
        _ names: [UnsafePointer<CChar>],
        _ type: (FieldSchema.Kind) -> ProtobufCType
    ) -> UnsafePointer<ProtobufCMessageDescriptor> {
        var cFields = fields.enumerated().map { slot, field in
            makeField(field, slot: slot, names[slot], type(field.kind))
        }
        cFields.sort { $0.id < $1.id }
        let byName = cFields.indices.sorted { strcmp(cFields[$0].name, cFields[$1].name) < 0 }
        let ranges = ranges(cFields.map(\.id))
        let name = UnsafePointer(immortal(name))
        var descriptor = ProtobufCMessageDescriptor()
        descriptor.magic = UInt32(PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC)
        descriptor.name = name
        descriptor.short_name = name
        descriptor.c_name = name
        descriptor.package_name = name
        descriptor.sizeof_message = ImageLayout.slotOffset(fields.count)
        descriptor.n_fields = UInt32(cFields.count)
        descriptor.fields = UnsafePointer(immortal(cFields))
        descriptor.fields_sorted_by_name = UnsafePointer(immortal(byName.map(UInt32.init)))
        descriptor.n_field_ranges = UInt32(ranges.count - 1)
        descriptor.field_ranges = UnsafePointer(immortal(ranges))
        return UnsafePointer(immortal([descriptor]))
    }

    private static func makeField(
        _ field: FieldSchema,
        slot: Int,
        _ name: UnsafePointer<CChar>,
        _ type: ProtobufCType
    ) -> ProtobufCFieldDescriptor {
        var result = ProtobufCFieldDescriptor()
        result.name = name
        result.id = field.number
        result.label =
            field.cardinality == .singular ? PROTOBUF_C_LABEL_OPTIONAL : PROTOBUF_C_LABEL_REPEATED
        result.type = type
        result.quantifier_offset = UInt32(ImageLayout.slotOffset(slot))
        result.offset = UInt32(ImageLayout.slotOffset(slot) + ImageLayout.valueOffset)
        result.flags =
            field.cardinality == .packed ? UInt32(PROTOBUF_C_FIELD_FLAG_PACKED.rawValue) : 0
        return result
    }

    /// Runs of consecutive numbers, with the terminator that libprotobuf-c's look-up needs.
    private static func ranges(_ numbers: [UInt32]) -> [ProtobufCIntRange] {
        var result: [ProtobufCIntRange] = []
        for (index, number) in numbers.enumerated()
        where index == 0 || number != numbers[index - 1] + 1 {
            result.append(ProtobufCIntRange(start_value: Int32(number), orig_index: UInt32(index)))
        }
        result.append(ProtobufCIntRange(start_value: 0, orig_index: UInt32(numbers.count)))
        return result
    }

    private static func immortal<T>(_ values: [T]) -> UnsafeMutablePointer<T> {
        let memory = UnsafeMutablePointer<T>.allocate(capacity: max(1, values.count))
        memory.initialize(from: values, count: values.count)
        return memory
    }

    private static func immortal(_ text: String) -> UnsafeMutablePointer<CChar> {
        immortal(Array(text.utf8CString))
    }
}

extension FieldSchema.Kind {
    fileprivate var encodingType: ProtobufCType {
        switch self {
        case .message, .group, .map: PROTOBUF_C_TYPE_MESSAGE
        default: decodingType
        }
    }

    fileprivate var decodingType: ProtobufCType {
        switch self {
        case .int32, .enum: PROTOBUF_C_TYPE_INT32
        case .sint32: PROTOBUF_C_TYPE_SINT32
        case .sfixed32: PROTOBUF_C_TYPE_SFIXED32
        case .int64: PROTOBUF_C_TYPE_INT64
        case .sint64: PROTOBUF_C_TYPE_SINT64
        case .sfixed64: PROTOBUF_C_TYPE_SFIXED64
        case .uint32: PROTOBUF_C_TYPE_UINT32
        // Compared as bits, so that -0.0 is not lost.
        case .fixed32, .float: PROTOBUF_C_TYPE_FIXED32
        // Checks the wire type, which libprotobuf-c's own bool does not.
        case .uint64, .bool: PROTOBUF_C_TYPE_UINT64
        case .fixed64, .double: PROTOBUF_C_TYPE_FIXED64
        // Its strings end at the first NUL; bytes do not.
        case .string, .bytes: PROTOBUF_C_TYPE_BYTES
        // Groups are rewritten to length-delimited messages before libprotobuf-c sees them.
        case .message, .group, .map: PROTOBUF_C_TYPE_BYTES
        }
    }
}
