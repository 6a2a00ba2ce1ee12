internal import NetpollProtobuf

/// A message whose fields are known from a ``SymbolTable`` only.
struct AggregateMessage {
    let type: SymbolTable.ID
    private var fields: [Int32: (field: SymbolTable.Field, values: [WireValue])] = [:]
    private var oneofs: [Int32: SymbolTable.Field] = [:]

    init(type: SymbolTable.ID) { self.type = type }

    /// Fails if a field that can have only one value has one, or another member of its oneof.
    func checkIsUnset(_ field: SymbolTable.Field, in table: SymbolTable)
        throws(AggregateParser.Failure)
    {
        let name = table[field.id].name
        if !field.isRepeated, fields[field.number] != nil {
            throw AggregateParser.Failure(message: "field \"\(name)\" has more than one value")
        }
        guard let oneof = field.oneof, let other = oneofs[oneof] else { return }
        throw AggregateParser.Failure(
            message:
                "field \"\(name)\" and field \"\(table[other.id].name)\" are members of one oneof"
        )
    }

    mutating func add(_ value: WireValue, to field: SymbolTable.Field) {
        let hasPresence =
            field.isRepeated || field.isMessage || field.oneof != nil || !field.isProto3
        guard hasPresence || !value.isDefault else { return }
        fields[field.number, default: (field, [])].values.append(value)
        if let oneof = field.oneof { oneofs[oneof] = field }
    }

    /// The message in wire form, its fields in the order of their numbers.
    func encode(in table: SymbolTable) throws(AggregateParser.Failure) -> [UInt8] {
        let message = table.message(type)
        for id in message.requiredFields where fields[table.field(id).number] == nil {
            throw AggregateParser.Failure(
                message: "message type \"\(table.shownName(type))\" needs a value for its required "
                    + "field \"\(table[id].name)\""
            )
        }
        var fields = fields
        if message.isMapEntry {
            // An entry always has its key and its value.
            for field in message.fields.map({ table.field($0) }) where fields[field.number] == nil {
                fields[field.number] = (field, [table.defaultValue(of: field)])
            }
        }
        var wire = WireWriter()
        for (number, entry) in fields.sorted(by: { $0.key < $1.key }) {
            if message.isMessageSet, table[entry.field.id].kind == .extension {
                for value in entry.values { Self.writeItem(number, value, to: &wire) }
            } else if entry.field.isPacked {
                var list = WireWriter()
                for value in entry.values { value.writeBare(to: &list) }
                wire.field(Int(number), bytes: list.bytes)
            } else {
                for value in entry.values { value.write(number, to: &wire) }
            }
        }
        return wire.bytes
    }

    /// An item of a message set: a group with the number and the message.
    private static func writeItem(_ number: Int32, _ value: WireValue, to wire: inout WireWriter) {
        var item = WireWriter()
        WireValue.varint(UInt64(bitPattern: Int64(number))).write(2, to: &item)
        value.write(3, to: &item)
        WireValue.group(item.bytes).write(1, to: &wire)
    }
}

extension SymbolTable {
    /// The value that a field of a map's entry has if none is given.
    fileprivate func defaultValue(of field: Field) -> WireValue {
        switch field.type {
        case .string, .bytes, .message, .group: .bytes([])
        case .double, .fixed64, .sfixed64: .fixed64(0)
        case .float, .fixed32, .sfixed32: .fixed32(0)
        case .enum:
            field.wireValue(field.typeID.flatMap { enumeration($0).firstNumber } ?? 0)
        default: .varint(0)
        }
    }
}
