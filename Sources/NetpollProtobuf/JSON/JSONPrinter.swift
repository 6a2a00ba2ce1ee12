/// Writes the wire form of a message as JSON, by the message's schema.
///
/// Unknown fields are left out: they have no name.
struct JSONPrinter {
    var output = JSONWriter()
    let options: JSONEncodingOptions
    /// Whether required fields (proto2) may be missing from messages in a `google.protobuf.Any`.
    let isPartial: Bool
    /// The extensions that may occur.
    let extensions: SimpleExtensionMap

    init(_ options: JSONEncodingOptions, isPartial: Bool, _ extensions: SimpleExtensionMap) {
        self.options = options
        self.isPartial = isPartial
        self.extensions = extensions
    }

    /// Writes a message.
    ///
    /// - Parameters:
    ///   - bytes: The message's wire form.
    ///   - schema: Its type.
    ///   - depth: How many levels of messages may follow, this one included.
    /// - Throws: ``ProtobufError``.
    mutating func message(
        _ bytes: UnsafeRawBufferPointer,
        _ schema: MessageSchema,
        depth: Int
    ) throws(ProtobufError) {
        guard depth > 0 else { throw .tooDeep }
        if let form = schema.fieldNames.form {
            return try wellKnown(form, bytes, schema, depth: depth)
        }
        output.open("{")
        try fields(bytes, schema, depth: depth)
        output.close("}")
    }

    /// Writes the fields of a message, without braces.
    mutating func fields(
        _ bytes: UnsafeRawBufferPointer,
        _ schema: MessageSchema,
        depth: Int
    ) throws(ProtobufError) {
        let names = schema.fieldNames
        let values = try WireValues(bytes, schema, depth: depth)
        if options.alwaysPrintFieldsWithNoPresence {
            var rest = values.all
            for index in names.byNumber {
                let own = rest.prefix { $0.index == index }
                rest = rest.dropFirst(own.count)
                if !own.isEmpty || !schema.fields[index].hasPresence(in: schema) {
                    try field(schema, names, index, own, depth: depth)
                }
            }
        } else {
            try values.forEachField { (index, values) throws(ProtobufError) in
                try field(schema, names, index, values, depth: depth)
            }
        }
        try extensionFields(bytes, schema, depth: depth)
    }

    /// Writes the extensions among the fields of a message.
    private mutating func extensionFields(
        _ bytes: UnsafeRawBufferPointer,
        _ schema: MessageSchema,
        depth: Int
    ) throws(ProtobufError) {
        guard let type = schema.extensibleType, !extensions.isEmpty else { return }
        let isMessageSet = schema.isMessageSet
        let known = extensions
        let sorted = try SortedFields(bytes, isMessageSet: isMessageSet, depth: depth) { number in
            let isField = UInt32(exactly: number).flatMap(schema.table.pointee.entryIndex) != nil
            return isField ? nil : known[type, number]
        }
        for (_, found) in sorted.fields.sorted(by: { $0.key < $1.key }) {
            let schema = found.definition.schema
            try found.bytes.withRawBytes { (bytes) throws(ProtobufError) in
                let values = try WireValues(bytes, schema, depth: depth).all
                guard !values.isEmpty else { return }
                output.key("[\(found.definition.fieldName)]")
                try fieldValue(schema, 0, values, depth: depth)
            }
        }
    }

    /// Writes a field's key and its values; without values, its default.
    private mutating func field(
        _ schema: MessageSchema,
        _ names: FieldNames,
        _ index: Int,
        _ values: ArraySlice<WireValue>,
        depth: Int
    ) throws(ProtobufError) {
        let keys = names.keys[index]
        output.key(options.preserveProtoFieldNames ? keys.proto : keys.json)
        try fieldValue(schema, index, values, depth: depth)
    }

    private mutating func fieldValue(
        _ schema: MessageSchema,
        _ index: Int,
        _ values: ArraySlice<WireValue>,
        depth: Int
    ) throws(ProtobufError) {
        let field = schema.fields[index]
        do throws(ProtobufError) {
            if case .map(let key, let value) = field.kind {
                try map(values, key, value, schema, depth: depth)
            } else if field.cardinality == .singular {
                let value = values.last ?? WireValue(index: index)
                try self.value(value, field.kind, schema, depth: depth)
            } else {
                try list(values, field.kind, schema, depth: depth)
            }
        } catch {
            throw error.inside(field.name)
        }
    }

    mutating func list(
        _ values: ArraySlice<WireValue>,
        _ kind: FieldSchema.Kind,
        _ schema: MessageSchema,
        depth: Int
    ) throws(ProtobufError) {
        output.open("[")
        for value in values { try self.value(value, kind, schema, depth: depth) }
        output.close("]")
    }

    mutating func map(
        _ entries: ArraySlice<WireValue>,
        _ keyKind: FieldSchema.Kind,
        _ valueKind: FieldSchema.Kind,
        _ schema: MessageSchema,
        depth: Int
    ) throws(ProtobufError) {
        guard depth > 1 || entries.isEmpty else { throw .tooDeep }
        output.open("{")
        for entry in entries {
            let (key, value) = try WireValue.entry(entry.payload, keyKind, valueKind)
            if case .enum(let type) = valueKind, let isKnown = type.isKnown,
                !isKnown(Int32(truncatingIfNeeded: value.bits))
            {
                continue
            }
            try mapKey(key, keyKind, schema)
            try self.value(value, valueKind, schema, depth: depth - 1)
        }
        output.close("}")
    }

    private mutating func mapKey(
        _ key: WireValue,
        _ kind: FieldSchema.Kind,
        _ schema: MessageSchema
    ) throws(ProtobufError) {
        switch kind {
        case .string: output.key(try Self.text(key.payload, schema))
        case .bool: output.key(key.bits == 0 ? "false" : "true")
        case .uint32, .uint64, .fixed32, .fixed64: output.key(String(kind.unsigned(key.bits)))
        default: output.key(String(kind.signed(key.bits)))
        }
    }
}

// MARK: - Single values

extension JSONPrinter {
    mutating func value(
        _ value: WireValue,
        _ kind: FieldSchema.Kind,
        _ schema: MessageSchema,
        depth: Int
    ) throws(ProtobufError) {
        switch kind {
        case .int32, .sint32, .sfixed32: output.raw(String(kind.signed(value.bits)))
        case .uint32, .fixed32: output.raw(String(kind.unsigned(value.bits)))
        case .int64, .sint64, .sfixed64:
            let number = kind.signed(value.bits)
            if options.alwaysPrintInt64sAsNumbers {
                output.raw(String(number))
            } else {
                output.quoted(number)
            }
        case .uint64, .fixed64:
            let number = kind.unsigned(value.bits)
            if options.alwaysPrintInt64sAsNumbers {
                output.raw(String(number))
            } else {
                output.quoted(number)
            }
        case .float: output.number(Float(bitPattern: UInt32(truncatingIfNeeded: value.bits)))
        case .double: output.number(Double(bitPattern: value.bits))
        case .bool: output.raw(value.bits == 0 ? "false" : "true")
        case .string: output.string(try Self.text(value.payload, schema))
        case .bytes: output.base64(value.payload)
        case .enum(let type): enumValue(Int32(truncatingIfNeeded: value.bits), type)
        case .message(let resolve), .group(let resolve):
            try message(value.payload, resolve(), depth: depth - 1)
        // A list's elements and a map's values are never maps.
        case .map: break
        }
    }

    private mutating func enumValue(_ number: Int32, _ type: EnumSchema) {
        if type.isNull, number == 0 {
            output.raw("null")
        } else if !options.alwaysPrintEnumsAsInts, let name = type.names().name(number) {
            output.string(name)
        } else {
            output.raw(String(number))
        }
    }

    /// The bytes as text: what a proto2 field holds may not be UTF-8, and is repaired as on decoding.
    private static func text(_ bytes: UnsafeRawBufferPointer, _ schema: MessageSchema)
        throws(ProtobufError) -> String
    {
        do {
            return String(copying: try UTF8Span(validating: bytes.bindMemory(to: UInt8.self).span))
        } catch {
            guard schema.repairsStrings else {
                throw ProtobufError(.invalidUTF8, "a string of \(schema.name) is not UTF-8")
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}

extension FieldSchema.Kind {
    /// The value of a signed integer.
    fileprivate func signed(_ bits: UInt64) -> Int64 {
        switch self {
        case .sint32:
            let value = UInt32(truncatingIfNeeded: bits)
            return Int64(Int32(bitPattern: value >> 1) ^ -Int32(bitPattern: value & 1))
        case .sint64: return Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1)
        case .int64, .sfixed64: return Int64(bitPattern: bits)
        default: return Int64(Int32(truncatingIfNeeded: bits))
        }
    }

    /// The value of an unsigned integer.
    fileprivate func unsigned(_ bits: UInt64) -> UInt64 {
        switch self {
        case .uint32, .fixed32: UInt64(UInt32(truncatingIfNeeded: bits))
        default: bits
        }
    }
}
