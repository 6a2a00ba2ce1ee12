/// Checks bytes that will not be decoded by themselves but must be valid all the same.
enum WireValidator {
    /// Checks that a string is UTF-8.
    static func checkString(_ bytes: UnsafeRawBufferPointer) throws(ProtobufError) {
        do {
            _ = try UTF8Span(validating: bytes.bindMemory(to: UInt8.self).span)
        } catch {
            throw .invalidUTF8
        }
    }

    /// Checks that bytes are a sequence of whole fields, whatever is in them, with at most `depth`
    /// levels of groups.
    static func checkFields(_ bytes: UnsafeRawBufferPointer, depth: Int) throws(ProtobufError) {
        var reader = WireReader(bytes)
        while !reader.isAtEnd { try reader.skipValue(try reader.tag(), depth: depth) }
    }

    /// Checks a message and all messages in it against their types, but not that required fields
    /// are there; `depth` levels of messages may begin, this one included.
    static func validate(
        _ bytes: UnsafeRawBufferPointer,
        _ schema: MessageSchema,
        depth: Int
    ) throws(ProtobufError) {
        guard depth > 0 else { throw .tooDeep }
        let table = schema.table
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            let tag = try reader.tag()
            guard let index = table.pointee.entryIndex(tag.number) else {
                try reader.skipValue(tag, depth: depth - 1)
                continue
            }
            let entry = table.pointee.entries + index
            guard tag.wireType == entry.pointee.wireType else {
                if entry.pointee.mayBePacked, tag.wireType == .lengthDelimited {
                    try WireScanner.checkPacked(try reader.delimited(), entry.pointee.wireType)
                } else {
                    try reader.skipValue(tag, depth: depth - 1)
                }
                continue
            }
            switch entry.pointee.content {
            case .message, .mapEntry, .closedEnumEntry:
                let payload =
                    tag.wireType == .startGroup
                    ? try reader.groupBody(tag.number, depth: depth - 1)
                    : try reader.delimited()
                let type =
                    schema.fields[index].kind.messageSchema ?? table.pointee.mapEntries[index]
                if let type { try validate(payload, type, depth: depth - 1) }
            case .strictString: try checkString(try reader.delimited())
            case .closedEnum, .plain: try reader.skipValue(tag, depth: 0)
            }
        }
    }
}
