extension FieldEncoder {
    /// Stores the extensions that have values, in the order of their numbers (proto2).
    ///
    /// - Throws: ``ProtobufError``: what is wrong in a value.
    public mutating func extensions(_ fields: ExtensionFields) throws(ProtobufError) {
        guard !fields.isEmpty else { return }
        for field in fields.sorted {
            let definition = field.content.anyDefinition
            context.pointee.metExtensions?.insert(definition)
            let bytes = try packed(field.content, definition.schema)
            guard !bytes.isEmpty else { continue }
            guard schema.isMessageSet else {
                try storeRawFields(bytes)
                continue
            }
            let item = try bytes.withRawBytes { (bytes) throws(ProtobufError) in
                var reader = WireReader(bytes)
                let tag = try reader.tag()
                return MessageSetItem.bytes(tag.number, try reader.delimited())
            }
            var whole: [UInt8] = []
            WireWriter.appendTag(MessageSetItem.number, .startGroup, to: &whole)
            try storeRawFields(whole + item)
        }
    }

    /// The bytes of a message that has the extension as its only field.
    private func packed(_ field: any AnyExtensionField, _ type: MessageSchema)
        throws(ProtobufError) -> [UInt8]
    {
        var encoder = try FieldEncoder(type, context)
        try field.encode(into: &encoder)
        return try MessageImage.packed(try encoder.finish(UnknownFields()))
    }
}
