/// Checks a message before libprotobuf-c sees it.
///
/// libprotobuf-c has no nesting limit, rejects or misreads some valid input, and merges wrongly.
/// The scanner proves that none of that can happen, or says that the message must be normalised.
enum WireScanner {
    /// Whether libprotobuf-c can decode the bytes as they are.
    ///
    /// - Parameters:
    ///   - bytes: The message.
    ///   - table: Its type.
    ///   - depth: How many more levels of messages may follow.
    /// - Returns: False when the message must be normalised first.
    /// - Throws: ``ProtobufError`` when the bytes are not valid, as far as they were looked at.
    static func isCanonical(
        _ bytes: UnsafeRawBufferPointer,
        _ table: MessageTable,
        depth: Int
    ) throws(ProtobufError) -> Bool {
        guard depth > 0 else { throw WireReader.tooDeep(table.name) }
        var reader = WireReader(bytes)
        var seenMessages: UInt64 = 0
        var seenOneofs: UInt64 = 0
        while !reader.isAtEnd {
            let tag = try reader.tag(in: table.name)
            guard let index = table.entryIndex(tag.number) else { return false }
            let isCanonical = try table.entries.withUnsafeBufferPointer {
                (entries) throws(ProtobufError) in
                try isCanonicalField(
                    entries[index],
                    tag,
                    &reader,
                    table,
                    depth,
                    &seenMessages,
                    &seenOneofs
                )
            }
            guard isCanonical else { return false }
        }
        return true
    }

    @inline(__always)
    private static func isCanonicalField(
        _ entry: borrowing FieldEntry,
        _ tag: WireTag,
        _ reader: inout WireReader,
        _ table: MessageTable,
        _ depth: Int,
        _ seenMessages: inout UInt64,
        _ seenOneofs: inout UInt64
    ) throws(ProtobufError) -> Bool {
        if let oneof = entry.oneof {
            // Two members of a oneof, or one of them twice: only the last may stay.
            guard mark(&seenOneofs, oneof) else { return false }
        }
        guard tag.wireType == entry.wireType else {
            guard entry.mayBePacked, tag.wireType == .lengthDelimited, entry.isKnownNumber == nil
            else {
                return false
            }
            try checkPacked(try reader.delimited(in: table.name), entry.wireType, table.name)
            return true
        }
        switch entry.wireType {
        case .varint:
            let value = try reader.varint(in: table.name)
            if let isKnown = entry.isKnownNumber {
                return isKnown(Int32(truncatingIfNeeded: value))
            }
        case .fixed64: try reader.skip(byteCount: 8, in: table.name)
        case .fixed32: try reader.skip(byteCount: 4, in: table.name)
        case .lengthDelimited:
            let payload = try reader.delimited(in: table.name)
            guard entry.isMessage else { return true }
            // Repeated singular messages would be merged wrongly, and in quadratic time.
            if !entry.isRepeated {
                guard mark(&seenMessages, entry.singularMessage) else { return false }
            }
            if entry.isMapEntry, entry.isKnownNumber != nil { return false }
            guard let message = entry.message else { return false }
            return try isCanonical(payload, message.takeUnretainedValue(), depth: depth - 1)
        case .startGroup, .endGroup: return false
        }
        return true
    }

    /// Notes a position; false if it was noted before, or is too high to be noted.
    @inline(__always)
    private static func mark(_ set: inout UInt64, _ position: Int) -> Bool {
        guard position < 64 else { return false }
        let bit: UInt64 = 1 << UInt64(position)
        defer { set |= bit }
        return set & bit == 0
    }

    /// Checks that a packed run ends with a whole element.
    static func checkPacked(
        _ bytes: UnsafeRawBufferPointer,
        _ wireType: WireType,
        _ name: String
    ) throws(ProtobufError) {
        switch wireType {
        case .fixed32 where bytes.count % 4 == 0, .fixed64 where bytes.count % 8 == 0: return
        case .varint:
            var reader = WireReader(bytes)
            while !reader.isAtEnd { _ = try reader.varint(in: name) }
        default: throw WireReader.truncated(name)
        }
    }
}
