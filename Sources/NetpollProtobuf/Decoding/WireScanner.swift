/// Checks one message, without those in it, before libprotobuf-c sees it.
///
/// libprotobuf-c rejects or misreads some valid input, and does not tell what was wrong. The
/// scanner proves that none of that can happen, or says that the message must be normalised.
struct WireScanner {
    private var reader: WireReader
    private let table: UnsafePointer<MessageTable>
    /// The positions of fields that may occur only once and did.
    private var seen: (UInt64, UInt64) = (0, 0)
    /// What takes most bytes of all that need not be copied.
    private var bulk = Bulk()

    /// Whether libprotobuf-c can decode the bytes as they are; if so, what it need not see.
    ///
    /// - Throws: ``ProtobufError`` when the bytes are not valid, as far as they were looked at.
    static func scan(_ bytes: UnsafeRawBufferPointer, _ table: UnsafePointer<MessageTable>)
        throws(ProtobufError) -> Bulk?
    {
        var scanner = WireScanner(reader: WireReader(bytes), table: table)
        while true {
            scanner.passPlainFields()
            if scanner.reader.isAtEnd { return scanner.bulk }
            guard try scanner.isNextCanonical() else { return nil }
        }
    }

    /// Passes over fields up to the first one that needs a closer look.
    @inline(__always)
    private mutating func passPlainFields() {
        // In registers until something is odd.
        var reader = reader
        var seen = seen.0
        let steps = table.pointee.steps
        while let tag = reader.shortTag(), tag < steps.count {
            let step = steps[tag]
            let bit = UInt64(1) << UInt64(step.exclusive)
            let start = reader.cursor
            guard seen & bit == 0, reader.pass(step.payload, tag: tag) else { break }
            seen |= bit
            if step.payload == .element {
                passRun(&reader, tag, from: start)
            } else if step.payload == .value {
                let field = UnsafeRawBufferPointer(start: start, count: reader.cursor - start)
                bulk.note(tag >> 3, value: field)
            }
        }
        self.reader = reader
        self.seen.0 = seen
    }

    /// Passes over the elements that follow the first one, whose tag was at `start`.
    @inline(__always)
    private mutating func passRun(
        _ reader: inout WireReader,
        _ tag: Int,
        from start: UnsafeRawPointer
    ) {
        var count = 1
        while reader.shortTag() == tag, reader.pass(.delimited, tag: tag) { count += 1 }
        let bytes = UnsafeRawBufferPointer(start: start, count: reader.cursor - start)
        bulk.note(tag >> 3, elements: bytes, count: count)
    }

    private mutating func isNextCanonical() throws(ProtobufError) -> Bool {
        let tag = try reader.tag()
        guard let index = table.pointee.entryIndex(tag.number) else { return false }
        bulk.noteOther(tag.number)
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
        if wireType == .varint, WireReader.isRunOfVarints(bytes) { return }
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
                try reader.skipValue(tag, depth: BinaryDecodingOptions.defaultMessageDepthLimit)
            }
        }
        guard let value else { return true }
        return isKnown(Int32(truncatingIfNeeded: value))
    }
}
