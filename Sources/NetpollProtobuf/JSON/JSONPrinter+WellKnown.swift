/// Messages that JSON writes in a form of their own.
extension JSONPrinter {
    mutating func wellKnown(
        _ form: WellKnownForm,
        _ bytes: UnsafeRawBufferPointer,
        _ schema: MessageSchema,
        depth: Int
    ) throws(ProtobufError) {
        switch form {
        case .any: try any(bytes, depth: depth)
        case .duration:
            let duration = try Google_Protobuf_Duration(serializedBytes: bytes)
            try text(DurationText.describe(duration), "the duration is out of range")
        case .timestamp:
            let timestamp = try Google_Protobuf_Timestamp(serializedBytes: bytes)
            try text(TimestampText.describe(timestamp), "the timestamp is out of range")
        case .fieldMask:
            let mask = try Google_Protobuf_FieldMask(serializedBytes: bytes)
            try text(FieldMaskText.describe(mask.paths), "a path has no form in JSON")
        case .listValue:
            let values = try WireValues(bytes, schema, depth: depth)
            guard let kind = schema.fields.first?.kind else { return }
            try list(values.all, kind, schema, depth: depth)
        case .struct:
            let values = try WireValues(bytes, schema, depth: depth)
            guard case .map(let key, let value)? = schema.fields.first?.kind else { return }
            try map(values.all, key, value, schema, depth: depth)
        case .value: try anyKind(bytes, schema, depth: depth)
        case .wrapper:
            guard let kind = schema.fields.first?.kind else { return }
            let values = try WireValues(bytes, schema, depth: depth)
            let value = values.all.last ?? WireValue(index: 0)
            try self.value(value, kind, schema, depth: depth)
        }
    }

    private mutating func text(_ text: String?, _ problem: String) throws(ProtobufError) {
        guard let text else { throw ProtobufError(.invalidValue, problem) }
        output.string(text)
    }

    /// Writes a `google.protobuf.Value`.
    private mutating func anyKind(
        _ bytes: UnsafeRawBufferPointer,
        _ schema: MessageSchema,
        depth: Int
    ) throws(ProtobufError) {
        guard let value = try WireValues(bytes, schema, depth: depth).all.last else {
            throw ProtobufError(.invalidValue, "a Value that is not set has no form in JSON")
        }
        let kind = schema.fields[value.index].kind
        if case .double = kind, !Double(bitPattern: value.bits).isFinite {
            throw ProtobufError(.invalidValue, "an infinite number or NaN has no form in JSON")
        }
        try self.value(value, kind, schema, depth: depth)
    }

    // MARK: google.protobuf.Any

    private mutating func any(_ bytes: UnsafeRawBufferPointer, depth: Int) throws(ProtobufError) {
        let any = try Google_Protobuf_Any(serializedBytes: bytes)
        output.open("{")
        if !any.typeURL.isEmpty {
            output.key(JSONParser.typeKey)
            output.string(any.typeURL)
            guard let type = options.typeRegistry.type(at: any.typeURL) else {
                throw ProtobufError(
                    .unknownType,
                    "the type registry does not have \(any.typeURL.shortened)"
                )
            }
            try contentOfAny(any.value, type, depth: depth - 1)
        } else if !any.value.isEmpty {
            throw ProtobufError(.invalidValue, "a google.protobuf.Any has a value but no type")
        }
        output.close("}")
    }

    private mutating func contentOfAny<M: Message>(
        _ bytes: [UInt8],
        _ type: M.Type,
        depth: Int
    ) throws(ProtobufError) {
        guard depth > 0 else { throw .tooDeep }
        // Others may have written these bytes, so they are checked and brought into order.
        let message = try M(serializedBytes: bytes, extensions: extensions, partial: isPartial)
        var encoding = BinaryEncodingOptions()
        encoding.useDeterministicOrdering = options.useDeterministicOrdering
        let own = try message.serializedBytes(partial: isPartial, options: encoding)
        try own.withRawBytes { (bytes) throws(ProtobufError) in
            if M.messageSchema.fieldNames.form == nil {
                try fields(bytes, M.messageSchema, depth: depth)
            } else {
                output.key("value")
                try self.message(bytes, M.messageSchema, depth: depth)
            }
        }
    }
}
