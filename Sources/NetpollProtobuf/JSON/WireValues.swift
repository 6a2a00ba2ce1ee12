/// One value of a message in wire form.
struct WireValue {
    /// The index of its field.
    let index: Int
    /// A number as it stands on the wire; 0 for others.
    var bits: UInt64 = 0
    /// Bytes, or the fields of a message; empty for numbers.
    var payload = UnsafeRawBufferPointer(start: nil, count: 0)
}

/// The values of the fields that a message's type knows, in the order of the fields' numbers.
///
/// What the type does not know is left out: other numbers, other wire types, and numbers that a
/// closed enum does not have.
struct WireValues {
    private(set) var all: ArraySlice<WireValue> = []

    /// Reads the values of a message, and none of the messages in it.
    init(_ bytes: UnsafeRawBufferPointer, _ schema: MessageSchema, depth: Int)
        throws(ProtobufError)
    {
        let table = schema.table
        var reader = WireReader(bytes)
        var highest: UInt32 = 0
        var isSorted = true
        while !reader.isAtEnd {
            let tag = try reader.tag()
            guard let index = table.pointee.entryIndex(tag.number) else {
                try reader.skipValue(tag, depth: depth)
                continue
            }
            try append(index, schema, tag, &reader, depth: depth)
            if tag.number < highest { isSorted = false }
            highest = max(highest, tag.number)
        }
        if !isSorted {
            // Stable: of the values of one field the order counts.
            let numbers = schema.fields
            all =
                all.enumerated().sorted {
                    (numbers[$0.element.index].number, $0.offset)
                        < (numbers[$1.element.index].number, $1.offset)
                }.map(\.element)[...]
        }
    }

    private mutating func append(
        _ index: Int,
        _ schema: MessageSchema,
        _ tag: WireTag,
        _ reader: inout WireReader,
        depth: Int
    ) throws(ProtobufError) {
        let field = schema.fields[index]
        let isKnown: (@Sendable (Int32) -> Bool)?
        if case .enum(let type) = field.kind { isKnown = type.isKnown } else { isKnown = nil }
        if tag.wireType == field.kind.wireType {
            var value = WireValue(index: index)
            try value.read(tag, &reader, depth: depth)
            if isKnown?(Int32(truncatingIfNeeded: value.bits)) != false { all.append(value) }
        } else if tag.wireType == .lengthDelimited, field.cardinality != .singular,
            field.kind.isNumber
        {
            var run = WireReader(try reader.delimited())
            let element = WireTag(number: tag.number, wireType: field.kind.wireType)
            while !run.isAtEnd {
                var value = WireValue(index: index)
                try value.read(element, &run, depth: depth)
                if isKnown?(Int32(truncatingIfNeeded: value.bits)) != false { all.append(value) }
            }
        } else {
            try reader.skipValue(tag, depth: depth)
        }
    }

    /// Calls `body` with each field that has values.
    func forEachField(
        _ body: (_ index: Int, _ values: ArraySlice<WireValue>) throws(ProtobufError) -> Void
    ) throws(ProtobufError) {
        var rest = all
        while let index = rest.first?.index {
            let own = rest.prefix { $0.index == index }
            try body(index, own)
            rest = rest.dropFirst(own.count)
        }
    }
}

extension WireValue {
    /// Reads the value behind a tag.
    fileprivate mutating func read(
        _ tag: WireTag,
        _ reader: inout WireReader,
        depth: Int
    ) throws(ProtobufError) {
        switch tag.wireType {
        case .varint: bits = try reader.varint()
        case .fixed32, .fixed64:
            let start = reader.offset
            try reader.skipValue(tag, depth: depth)
            for byte in reader.bytes(since: start).reversed() { bits = bits << 8 | UInt64(byte) }
        case .lengthDelimited: payload = try reader.delimited()
        case .startGroup: payload = try reader.groupBody(tag.number, depth: depth)
        case .endGroup: try reader.skipValue(tag, depth: depth)
        }
    }

    /// The key and value of a map's entry; what is missing is at its default.
    static func entry(
        _ bytes: UnsafeRawBufferPointer,
        _ keyKind: FieldSchema.Kind,
        _ valueKind: FieldSchema.Kind
    ) throws(ProtobufError) -> (key: WireValue, value: WireValue) {
        var key = WireValue(index: 0)
        var value = WireValue(index: 1)
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            let tag = try reader.tag()
            if tag.number == 1, tag.wireType == keyKind.wireType {
                key = WireValue(index: 0)
                try key.read(tag, &reader, depth: 1)
            } else if tag.number == 2, tag.wireType == valueKind.wireType {
                value = WireValue(index: 1)
                try value.read(tag, &reader, depth: 1)
            } else {
                try reader.skipValue(tag, depth: 1)
            }
        }
        return (key, value)
    }
}
