/// Messages that JSON writes in a form of their own.
extension JSONParser {
    mutating func wellKnown(_ form: WellKnownForm, _ schema: MessageSchema, depth: Int)
        throws(ProtobufError)
    {
        switch form {
        case .any: try any(schema, depth: depth)
        case .duration:
            let duration = try converted("a duration", DurationText.parse)
            secondsAndNanos(duration.seconds, duration.nanos)
        case .timestamp:
            let timestamp = try converted("a timestamp", TimestampText.parse)
            secondsAndNanos(timestamp.seconds, timestamp.nanos)
        case .fieldMask:
            for path in try converted("a field mask", FieldMaskText.parse) {
                wire.tag(1, .lengthDelimited)
                wire.delimited(path.utf8)
            }
        case .listValue: try values(depth: depth)
        case .struct: try members(depth: depth)
        case .value: try anyKind(depth: depth)
        case .wrapper:
            guard let field = schema.fields.first else { return }
            _ = try value(field.number, field.kind, depth: depth)
        }
    }

    private static let valueKind = FieldSchema.Kind.message { Google_Protobuf_Value.messageSchema }
    private static let structKind = FieldSchema.Kind.message {
        Google_Protobuf_Struct.messageSchema
    }
    private static let listKind = FieldSchema.Kind.message {
        Google_Protobuf_ListValue.messageSchema
    }

    /// Reads a string that stands for something else.
    private mutating func converted<T>(
        _ what: String,
        _ convert: (UnsafeRawBufferPointer) -> T?
    ) throws(ProtobufError) -> T {
        try expect(.string, what)
        let text = try reader.string()
        guard let value = text.withUTF8(convert) else {
            throw reader.error(.invalidValue, "the string is not \(what)")
        }
        return value
    }

    private mutating func secondsAndNanos(_ seconds: Int64, _ nanos: Int32) {
        if seconds != 0 {
            wire.tag(1, .varint)
            wire.varint(UInt64(bitPattern: seconds))
        }
        if nanos != 0 {
            wire.tag(2, .varint)
            wire.varint(UInt64(bitPattern: Int64(nanos)))
        }
    }

    /// Reads the elements of a `google.protobuf.ListValue`.
    private mutating func values(depth: Int) throws(ProtobufError) {
        try expect(.array, "a list of values")
        try reader.beginArray()
        var isFirst = true
        while try reader.hasNextElement(&isFirst) {
            _ = try value(1, Self.valueKind, depth: depth)
        }
    }

    /// Reads the members of a `google.protobuf.Struct`.
    private mutating func members(depth: Int) throws(ProtobufError) {
        var element = ElementPlace.none
        do throws(ProtobufError) {
            try map(1, .string, Self.valueKind, &element, depth: depth)
        } catch {
            throw error.inside("fields" + element.text)
        }
    }

    /// Reads a `google.protobuf.Value`.
    private mutating func anyKind(depth: Int) throws(ProtobufError) {
        switch try reader.peek() {
        case .null:
            try reader.null()
            wire.tag(1, .varint)
            wire.varint(0)
        case .number: _ = try value(2, .double, depth: depth)
        case .string: _ = try value(3, .string, depth: depth)
        case .bool: _ = try value(4, .bool, depth: depth)
        case .object: _ = try value(5, Self.structKind, depth: depth)
        case .array: _ = try value(6, Self.listKind, depth: depth)
        }
    }
}

// MARK: - google.protobuf.Any

extension JSONParser {
    private mutating func any(_ schema: MessageSchema, depth: Int) throws(ProtobufError) {
        try expect(.object, schema.name)
        guard let url = try typeURL(depth: depth) else {
            // An object without a type is a message without fields.
            return try objectWithoutType(schema, depth: depth)
        }
        guard Google_Protobuf_Any.messageName(inTypeURL: url) != nil else {
            throw reader.error(.invalidValue, "\"@type\" is not the URL of a type")
        }
        guard let type = options.typeRegistry.type(at: url) else {
            throw reader.error(.unknownType, "the type registry does not have \(url.shortened)")
        }
        var inner = JSONParser(reader, options, isPartial: isPartial, extensions)
        let content = try inner.contentOfAny(type, depth: depth - 1)
        reader = inner.reader
        wire.tag(1, .lengthDelimited)
        wire.delimited(url.utf8)
        wire.tag(2, .lengthDelimited)
        wire.delimited(content)
    }

    /// Looks for the type in an object, wherever it stands, without reading the object.
    private func typeURL(depth: Int) throws(ProtobufError) -> String? {
        var ahead = self
        var url: String?
        // A message in a list is one level of messages but two of JSON.
        let levels = depth.multipliedReportingOverflow(by: 2)
        try ahead.reader.beginObject()
        var isFirst = true
        while let key = try ahead.reader.nextKey(&isFirst) {
            guard key.string == Self.typeKey else {
                try ahead.reader.skipValue(depth: levels.overflow ? .max : levels.partialValue)
                continue
            }
            guard url == nil else {
                throw ahead.reader.error(.duplicateField, "\"@type\" has two values")
            }
            try ahead.expect(.string, "\"@type\"")
            url = try ahead.reader.string().string
        }
        return url
    }

    private mutating func objectWithoutType(_ schema: MessageSchema, depth: Int)
        throws(ProtobufError)
    {
        try reader.beginObject()
        var isFirst = true
        while try reader.nextKey(&isFirst) != nil {
            guard options.ignoreUnknownFields else {
                throw reader.error(.invalidValue, "\(schema.name) has values but no \"@type\"")
            }
            try reader.skipValue(depth: depth - 1)
        }
    }

    /// Reads the message in an `Any`; its wire form is that of the type's own encoder.
    private mutating func contentOfAny<M: Message>(_ type: M.Type, depth: Int)
        throws(ProtobufError) -> [UInt8]
    {
        guard depth > 0 else { throw reader.tooDeep() }
        let schema = M.messageSchema
        if let form = schema.fieldNames.form {
            try wrappedForm(form, schema, depth: depth)
        } else {
            try fields(schema, depth: depth, allowsType: true)
        }
        return try M(
            serializedBytes: wire.bytes,
            extensions: extensions,
            partial: isPartial,
            options: options.binary
        ).serializedBytes(partial: isPartial)
    }

    /// Reads the object around a form that is not an object of fields: it has it as its "value".
    private mutating func wrappedForm(_ form: WellKnownForm, _ schema: MessageSchema, depth: Int)
        throws(ProtobufError)
    {
        try reader.beginObject()
        var hasValue = false
        var isFirst = true
        while let key = try reader.nextKey(&isFirst) {
            switch key.string {
            case Self.typeKey: try reader.skipValue(depth: 0)
            case "value":
                guard !hasValue else {
                    throw reader.error(.duplicateField, "\"value\" has two values")
                }
                hasValue = true
                do throws(ProtobufError) {
                    try wellKnown(form, schema, depth: depth)
                } catch {
                    throw error.inside("value")
                }
            default:
                guard options.ignoreUnknownFields else {
                    throw reader.error(.unknownField, "beside \"value\" only \"@type\" may stand")
                }
                try reader.skipValue(depth: depth)
            }
        }
        guard hasValue else {
            throw reader.error(.invalidValue, "\(schema.name) has no \"value\"")
        }
    }
}
