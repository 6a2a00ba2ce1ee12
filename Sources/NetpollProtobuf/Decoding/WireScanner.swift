/// Checks one message, without those in it, before libprotobuf-c sees it.
///
/// libprotobuf-c rejects or misreads some valid input, and does not tell what was wrong. The
/// scanner proves that none of that can happen, or says that the message must be normalised.
struct WireScanner {
    private var reader: WireReader
    private let table: UnsafePointer<MessageTable>
    /// The positions of fields that may occur only once and did.
    private var seen: (UInt64, UInt64) = (0, 0)

    /// Whether libprotobuf-c can decode the bytes as they are.
    ///
    /// - Throws: ``ProtobufError`` when the bytes are not valid, as far as they were looked at.
    static func isCanonical(_ bytes: UnsafeRawBufferPointer, _ table: UnsafePointer<MessageTable>)
        throws(ProtobufError) -> Bool
    {
        var scanner = WireScanner(reader: WireReader(bytes), table: table)
        while !scanner.reader.isAtEnd {
            guard try scanner.isNextCanonical() else { return false }
        }
        return true
    }

    @inline(__always)
    private mutating func isNextCanonical() throws(ProtobufError) -> Bool {
        let tag = try reader.tag()
        guard let index = table.pointee.entryIndex(tag.number) else { return false }
        let entry = table.pointee.entries + index
        guard mark(entry.pointee.exclusive) else { return false }
        guard tag.wireType == entry.pointee.wireType else {
            guard entry.pointee.mayBePacked, tag.wireType == .lengthDelimited,
                entry.pointee.content == .plain
            else { return false }
            try Self.checkPacked(try reader.delimited(), entry.pointee.wireType)
            return true
        }
        switch tag.wireType {
        case .varint:
            let value = try reader.varint()
            return entry.pointee.content == .plain
                || entry.pointee.isKnownNumber?(Int32(truncatingIfNeeded: value)) == true
        case .fixed64: try reader.skip(byteCount: 8)
        case .fixed32: try reader.skip(byteCount: 4)
        case .lengthDelimited:
            let payload = try reader.delimited()
            if entry.pointee.content == .closedEnumEntry, let isKnown = entry.pointee.isKnownNumber
            {
                return try Self.hasKnownValue(payload, isKnown)
            }
        case .startGroup, .endGroup: return false
        }
        return true
    }

    /// Notes a position; false if it was noted before, or is too high to be noted.
    @inline(__always)
    private mutating func mark(_ position: Int16) -> Bool {
        guard position >= 0 else { return true }
        let bit: UInt64 = 1 &<< UInt64(position & 63)
        if position < 64 {
            defer { seen.0 |= bit }
            return seen.0 & bit == 0
        }
        defer { seen.1 |= bit }
        return position < 128 && seen.1 & bit == 0
    }

    /// Checks that a packed run ends with a whole element.
    static func checkPacked(_ bytes: UnsafeRawBufferPointer, _ wireType: WireType)
        throws(ProtobufError)
    {
        switch wireType {
        case .fixed32 where bytes.count % 4 == 0, .fixed64 where bytes.count % 8 == 0: return
        case .varint:
            var reader = WireReader(bytes)
            while !reader.isAtEnd { _ = try reader.varint() }
        default: throw .truncated
        }
    }

    /// Whether the value of a map entry is a number that its closed enum knows.
    static func hasKnownValue(_ entry: UnsafeRawBufferPointer, _ isKnown: (Int32) -> Bool)
        throws(ProtobufError) -> Bool
    {
        var reader = WireReader(entry)
        // A missing value is the enum's default, which it knows.
        var value: UInt64?
        while !reader.isAtEnd {
            let tag = try reader.tag()
            if tag.number == 2, tag.wireType == .varint {
                value = try reader.varint()
            } else {
                // Groups in an entry are unknown, and so are dropped with what is in them.
                try reader.skipValue(tag, depth: DecodingOptions.defaultNestingLimit)
            }
        }
        guard let value else { return true }
        return isKnown(Int32(truncatingIfNeeded: value))
    }
}
