internal import CProtobufC
internal import NetpollCore

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The C image of a message: libprotobuf-c's header, then a slot of 24 bytes for each field.
///
/// A slot is 8 bytes of quantifier (whether a singular field is there, or how many elements a
/// repeated one has) and 16 bytes of value (the number itself, a length and pointer, or a pointer).
enum ImageLayout {
    static let headerByteCount = MemoryLayout<ProtobufCMessage>.size
    static let slotByteCount = 24
    static let valueOffset = 8
    /// Unknown fields travel through libprotobuf-c as a bytes field of a number that protobuf
    /// reserves for implementations.
    static let unknownFieldNumber: UInt32 = 19_999
}

/// What the scanner needs to know of one field.
struct FieldEntry {
    let number: UInt32
    let slot: Int
    let wireType: WireType
    let isRepeated: Bool
    let isMapEntry: Bool
    /// Counts the singular messages of a type, for the scanner's note of those it has seen.
    fileprivate(set) var singularMessage = 0
    let oneof: Int?
    let isKnownNumber: (@Sendable (Int32) -> Bool)?
    /// Whether values of the field are messages; then `message` is their table.
    let isMessage: Bool
    fileprivate(set) var message: Unmanaged<MessageTable>?

    /// Repeated numbers may come one by one or packed, whatever the schema says.
    var mayBePacked: Bool { isRepeated && !isMessage && wireType != .lengthDelimited }
}

/// The prepared form of a schema: immutable once it is published, and never freed.
final class MessageTable: @unchecked Sendable {
    // @unchecked: filled under the preparation lock before it is published, constant afterwards.

    let name: String
    let descriptor: UnsafeMutablePointer<ProtobufCMessageDescriptor>
    let imageByteCount: Int
    private(set) var entries: [FieldEntry] = []
    /// Index into `entries` by number for small numbers, -1 for none.
    private var small: [Int16] = []
    private var large: [UInt32: Int] = [:]

    private static let smallNumberLimit = 256
    private static let preparation = Locked(())

    private init(_ schema: MessageSchema) {
        name = schema.name
        descriptor = .allocate(capacity: 1)
        imageByteCount =
            ImageLayout.headerByteCount + (schema.fields.count + 1) * ImageLayout.slotByteCount
    }

    /// The field of a number.
    @inline(__always)
    func entryIndex(_ number: UInt32) -> Int? {
        if Int(number) < small.count {
            let index = small[Int(number)]
            return index < 0 ? nil : Int(index)
        }
        return large[number]
    }

    static func slotOffset(_ slot: Int) -> Int {
        ImageLayout.headerByteCount + slot * ImageLayout.slotByteCount
    }
}

// MARK: - Preparation

extension MessageTable {
    /// Makes the tables of a schema and of all schemas it leads to.
    ///
    /// Two phases, because they may refer to each other in circles: first all tables are made, then
    /// all are filled.
    static func prepare(_ root: MessageSchema) -> MessageTable {
        preparation.withLock { _ in
            var made: [ObjectIdentifier: MessageTable] = [:]
            var order: [(schema: MessageSchema, children: [MessageSchema?])] = []
            var pending = [root]
            while let schema = pending.popLast() {
                guard !schema.isPrepared, made[ObjectIdentifier(schema)] == nil else { continue }
                made[ObjectIdentifier(schema)] = MessageTable(schema)
                let children = schema.fields.map { child(of: $0, in: schema) }
                order.append((schema, children))
                pending += children.compactMap { $0 }
            }
            func find(_ schema: MessageSchema) -> MessageTable {
                made[ObjectIdentifier(schema)] ?? schema.table
            }
            for (schema, children) in order {
                find(schema).fill(schema, children.map { $0.map(find) })
            }
            for (schema, _) in order { schema.publish(find(schema)) }
            return root.table
        }
    }

    private static func child(of field: FieldSchema, in schema: MessageSchema) -> MessageSchema? {
        switch field.kind {
        case .message(let resolve), .group(let resolve): resolve()
        case .map(let key, let value):
            MessageSchema(
                "\(schema.name).\(field.name)",
                [FieldSchema(1, "key", key), FieldSchema(2, "value", value)],
                repairsStrings: schema.repairsStrings
            )
        default: nil
        }
    }

    private func fill(_ schema: MessageSchema, _ children: [MessageTable?]) {
        var singularMessages = 0
        for (slot, field) in schema.fields.enumerated() {
            var entry = FieldEntry(field, slot: slot, message: children[slot])
            if entry.isMessage, !entry.isRepeated {
                entry.singularMessage = singularMessages
                singularMessages += 1
            }
            entries.append(entry)
        }
        let highest = schema.fields.map(\.number).filter { Int($0) < Self.smallNumberLimit }.max()
        small = Array(repeating: -1, count: highest.map { Int($0) + 1 } ?? 0)
        for (index, entry) in entries.enumerated() {
            if Int(entry.number) < small.count {
                small[Int(entry.number)] = Int16(index)
            } else {
                large[entry.number] = index
            }
        }
        fillDescriptor(schema, children)
    }

    private func fillDescriptor(_ schema: MessageSchema, _ children: [MessageTable?]) {
        var fields = schema.fields.enumerated().map { slot, field in
            Self.makeField(field, slot: slot, child: children[slot])
        }
        fields.append(
            Self.makeField(
                FieldSchema(ImageLayout.unknownFieldNumber, "unknown", .bytes),
                slot: fields.count,
                child: nil
            )
        )
        fields.sort { $0.id < $1.id }
        let byNumber = Self.immortal(fields)
        let byName = Self.immortal(
            fields.indices.sorted { strcmp(fields[$0].name, fields[$1].name) < 0 }.map(UInt32.init)
        )
        let ranges = Self.ranges(fields.map(\.id))
        descriptor.initialize(to: ProtobufCMessageDescriptor())
        descriptor.pointee.magic = UInt32(PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC)
        descriptor.pointee.name = UnsafePointer(Self.immortal(name))
        descriptor.pointee.short_name = descriptor.pointee.name
        descriptor.pointee.c_name = descriptor.pointee.name
        descriptor.pointee.package_name = descriptor.pointee.name
        descriptor.pointee.sizeof_message = imageByteCount
        descriptor.pointee.n_fields = UInt32(fields.count)
        descriptor.pointee.fields = UnsafePointer(byNumber)
        descriptor.pointee.fields_sorted_by_name = UnsafePointer(byName)
        descriptor.pointee.n_field_ranges = UInt32(ranges.count - 1)
        descriptor.pointee.field_ranges = UnsafePointer(Self.immortal(ranges))
    }

    private static func makeField(
        _ field: FieldSchema,
        slot: Int,
        child: MessageTable?
    ) -> ProtobufCFieldDescriptor {
        var result = ProtobufCFieldDescriptor()
        result.name = UnsafePointer(immortal(field.name))
        result.id = field.number
        result.label =
            field.cardinality == .singular ? PROTOBUF_C_LABEL_OPTIONAL : PROTOBUF_C_LABEL_REPEATED
        result.type = field.kind.cType
        result.quantifier_offset = UInt32(slotOffset(slot))
        result.offset = UInt32(slotOffset(slot) + ImageLayout.valueOffset)
        result.descriptor = child.map { UnsafeRawPointer($0.descriptor) }
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

extension FieldEntry {
    fileprivate init(_ field: FieldSchema, slot: Int, message: MessageTable?) {
        number = field.number
        self.slot = slot
        wireType = field.kind.wireType
        isRepeated = field.cardinality != .singular
        oneof = field.oneof
        isMessage = message != nil
        self.message = message.map { Unmanaged.passUnretained($0) }
        switch field.kind {
        case .enum(let type):
            isKnownNumber = type.isKnown
            isMapEntry = false
        case .map(_, .enum(let type)):
            isKnownNumber = type.isKnown
            isMapEntry = true
        case .map:
            isKnownNumber = nil
            isMapEntry = true
        default:
            isKnownNumber = nil
            isMapEntry = false
        }
    }
}

extension FieldSchema.Kind {
    fileprivate var cType: ProtobufCType {
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
        // Groups are rewritten to messages before libprotobuf-c sees them.
        case .message, .group, .map: PROTOBUF_C_TYPE_MESSAGE
        }
    }
}
