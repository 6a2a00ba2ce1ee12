/// Rewrites one message, without those in it, so that libprotobuf-c decodes it as Google's runtimes
/// would.
///
/// Fields that the type does not know, fields with another wire type than the schema's and unknown
/// numbers of closed enums are set apart. Groups become length-delimited. Occurrences of a singular
/// message are merged by joining their bytes. Of a oneof the last member stays. Time and memory are
/// linear in the input.
struct WireNormalizer {
    private let schema: MessageSchema
    private let table: UnsafePointer<MessageTable>
    private let depth: Int
    /// What libprotobuf-c gets.
    private var known: [UInt8] = []
    /// What the type does not know.
    private var unknown: [UInt8] = []
    /// All occurrences of each singular message outside oneofs, by the index of its field.
    private var messages: [Int: [UnsafeRawBufferPointer]] = [:]
    /// The last member of each oneof.
    private var members: [Int32: Member] = [:]

    private struct Member {
        let index: Int
        /// A message's occurrences; for another value one piece, with its tag.
        var pieces: [UnsafeRawBufferPointer]
    }

    /// The message in canonical form, and the fields that its type does not know as they came;
    /// `depth` levels of messages and groups may be in it.
    static func normalize(
        _ bytes: UnsafeRawBufferPointer,
        _ schema: MessageSchema,
        depth: Int
    ) throws(ProtobufError) -> (known: [UInt8], unknown: [UInt8]) {
        var normalizer = WireNormalizer(schema: schema, table: schema.table, depth: depth)
        var reader = WireReader(bytes)
        while !reader.isAtEnd { try normalizer.gather(&reader) }
        return try normalizer.finish()
    }

    private init(schema: MessageSchema, table: UnsafePointer<MessageTable>, depth: Int) {
        self.schema = schema
        self.table = table
        self.depth = depth
    }

    private mutating func gather(_ reader: inout WireReader) throws(ProtobufError) {
        let start = reader.offset
        let tag = try reader.tag()
        guard let index = table.pointee.entryIndex(tag.number) else {
            try reader.skipValue(tag, depth: depth)
            return unknown.append(contentsOf: reader.bytes(since: start))
        }
        let entry = table.pointee.entries + index
        if tag.wireType == entry.pointee.wireType {
            try gatherValue(entry, index, &reader, start)
        } else if entry.pointee.mayBePacked, tag.wireType == .lengthDelimited {
            try gatherPacked(entry, &reader, start)
        } else {
            try reader.skipValue(tag, depth: depth)
            unknown.append(contentsOf: reader.bytes(since: start))
        }
    }

    private mutating func gatherValue(
        _ entry: UnsafePointer<FieldEntry>,
        _ index: Int,
        _ reader: inout WireReader,
        _ start: Int
    ) throws(ProtobufError) {
        switch entry.pointee.content {
        case .message:
            let payload =
                entry.pointee.wireType == .startGroup
                ? try reader.groupBody(entry.pointee.number, depth: depth)
                : try reader.delimited()
            return try gatherMessage(entry, index, payload)
        case .strictString:
            let payload = try reader.delimited()
            // Only the last occurrence will be decoded, but all of them must be valid.
            if !entry.pointee.isRepeated { try WireValidator.checkString(payload) }
        case .closedEnum:
            let value = try reader.varint()
            guard entry.pointee.isKnownNumber?(Int32(truncatingIfNeeded: value)) == true else {
                return unknown.append(contentsOf: reader.bytes(since: start))
            }
        case .closedEnumEntry:
            let payload = try reader.delimited()
            if let isKnown = entry.pointee.isKnownNumber,
                try !WireScanner.hasKnownValue(payload, isKnown)
            {
                return unknown.append(contentsOf: reader.bytes(since: start))
            }
        case .mapEntry, .plain:
            let tag = WireTag(number: entry.pointee.number, wireType: entry.pointee.wireType)
            try reader.skipValue(tag, depth: 0)
        }
        let bytes = reader.bytes(since: start)
        if entry.pointee.oneof >= 0 {
            try setMember(entry.pointee.oneof, index, bytes)
        } else {
            known.append(contentsOf: bytes)
        }
    }

    private mutating func gatherMessage(
        _ entry: UnsafePointer<FieldEntry>,
        _ index: Int,
        _ payload: UnsafeRawBufferPointer
    ) throws(ProtobufError) {
        if entry.pointee.isRepeated {
            WireWriter.appendDelimited(entry.pointee.number, [payload], to: &known)
        } else if entry.pointee.oneof >= 0 {
            if members[entry.pointee.oneof]?.index == index {
                members[entry.pointee.oneof]?.pieces.append(payload)
            } else {
                try setMember(entry.pointee.oneof, index, payload)
            }
        } else {
            messages[index, default: []].append(payload)
        }
    }

    /// Makes a member the only one of its oneof.
    private mutating func setMember(
        _ oneof: Int32,
        _ index: Int,
        _ bytes: UnsafeRawBufferPointer
    ) throws(ProtobufError) {
        let old = members.updateValue(Member(index: index, pieces: [bytes]), forKey: oneof)
        guard let old, let type = schema.fields[old.index].kind.messageSchema else { return }
        // Nobody will see it, but it must be valid all the same.
        for piece in old.pieces { try WireValidator.validate(piece, type, depth: depth) }
    }

    private mutating func gatherPacked(
        _ entry: UnsafePointer<FieldEntry>,
        _ reader: inout WireReader,
        _ start: Int
    ) throws(ProtobufError) {
        let run = try reader.delimited()
        try WireScanner.checkPacked(run, entry.pointee.wireType)
        guard let isKnown = entry.pointee.isKnownNumber else {
            return known.append(contentsOf: reader.bytes(since: start))
        }
        var values = WireReader(run)
        while !values.isAtEnd {
            let value = try values.varint()
            var bytes: [UInt8] = []
            WireWriter.appendTag(entry.pointee.number, .varint, to: &bytes)
            WireWriter.appendVarint(value, to: &bytes)
            if isKnown(Int32(truncatingIfNeeded: value)) {
                known += bytes
            } else {
                unknown += bytes
            }
        }
    }

    private consuming func finish() throws(ProtobufError) -> (known: [UInt8], unknown: [UInt8]) {
        for (index, pieces) in messages { try appendMerged(index, pieces) }
        for member in members.values {
            if table.pointee.entries[member.index].content == .message {
                try appendMerged(member.index, member.pieces)
            } else {
                for piece in member.pieces { known.append(contentsOf: piece) }
            }
        }
        return (known, unknown)
    }

    /// Adds a message that came in pieces, each of which must be whole by itself.
    private mutating func appendMerged(_ index: Int, _ pieces: [UnsafeRawBufferPointer])
        throws(ProtobufError)
    {
        if pieces.count > 1 {
            for piece in pieces { try WireValidator.checkFields(piece, depth: depth) }
        }
        WireWriter.appendDelimited(table.pointee.entries[index].number, pieces, to: &known)
    }
}
