/// Rewrites a valid message so that libprotobuf-c decodes it as Google's runtimes would.
///
/// Unknown fields, fields with another wire type than the schema's, groups and unknown numbers of
/// closed enums are gathered in the field that keeps unknown bytes. Occurrences of a singular
/// message are merged by joining their bytes. Of a oneof, and of a singular field, the last stays.
/// Time is linear in the input for each level of nesting.
enum WireNormalizer {
    /// The message in canonical form.
    ///
    /// - Parameters:
    ///   - pieces: The message's bytes; several pieces mean that they are merged in this order.
    ///   - table: The message's type.
    ///   - depth: How many more levels of messages may follow.
    /// - Returns: The bytes to give to libprotobuf-c.
    /// - Throws: ``ProtobufError`` when the bytes are not valid.
    static func normalize(
        _ pieces: [UnsafeRawBufferPointer],
        _ table: MessageTable,
        depth: Int
    ) throws(ProtobufError) -> [UInt8] {
        guard depth > 0 else { throw WireReader.tooDeep(table.name) }
        var message = Gathered(table: table, depth: depth)
        for piece in pieces {
            var reader = WireReader(piece)
            while !reader.isAtEnd { try message.gather(&reader) }
        }
        return try message.finish()
    }

    /// What has been seen of one message so far.
    private struct Gathered {
        let table: MessageTable
        let depth: Int
        /// Repeated fields, in order.
        var output: [UInt8] = []
        var unknown: [UInt8] = []
        /// The last occurrence of each singular value, with its tag.
        var values: [Int: UnsafeRawBufferPointer] = [:]
        /// All occurrences of each singular message.
        var messages: [Int: [UnsafeRawBufferPointer]] = [:]

        init(table: MessageTable, depth: Int) {
            self.table = table
            self.depth = depth
        }

        mutating func gather(_ reader: inout WireReader) throws(ProtobufError) {
            let start = reader.offset
            let tag = try reader.tag(in: table.name)
            guard let index = table.entryIndex(tag.number) else {
                try reader.skipValue(tag, depth: depth - 1, in: table.name)
                return unknown.append(contentsOf: reader.bytes(since: start))
            }
            let entry = table.entries[index]
            if tag.wireType == entry.wireType {
                try gatherValue(entry, index, &reader, start)
            } else if entry.mayBePacked, tag.wireType == .lengthDelimited {
                try gatherPacked(entry, &reader, start)
            } else {
                try reader.skipValue(tag, depth: depth - 1, in: table.name)
                unknown.append(contentsOf: reader.bytes(since: start))
            }
        }

        private mutating func gatherValue(
            _ entry: FieldEntry,
            _ index: Int,
            _ reader: inout WireReader,
            _ start: Int
        ) throws(ProtobufError) {
            if entry.isMessage {
                let payload =
                    entry.wireType == .startGroup
                    ? try reader.groupBody(
                        WireTag(number: entry.number, wireType: .startGroup),
                        depth: depth - 1,
                        in: table.name
                    )
                    : try reader.delimited(in: table.name)
                return try gatherMessage(entry, index, payload, reader.bytes(since: start))
            }
            if entry.wireType == .varint {
                let value = try reader.varint(in: table.name)
                if let isKnown = entry.isKnownNumber, !isKnown(Int32(truncatingIfNeeded: value)) {
                    return unknown.append(contentsOf: reader.bytes(since: start))
                }
            } else {
                try reader.skipValue(
                    WireTag(number: entry.number, wireType: entry.wireType),
                    depth: 0,
                    in: table.name
                )
            }
            let bytes = reader.bytes(since: start)
            if entry.isRepeated {
                output.append(contentsOf: bytes)
            } else {
                try dropOtherMembers(of: entry, index)
                values[index] = bytes
            }
        }

        private mutating func gatherMessage(
            _ entry: FieldEntry,
            _ index: Int,
            _ payload: UnsafeRawBufferPointer,
            _ whole: UnsafeRawBufferPointer
        ) throws(ProtobufError) {
            guard let message = entry.message?.takeUnretainedValue() else { return }
            guard entry.isRepeated else {
                try dropOtherMembers(of: entry, index)
                return messages[index, default: []].append(payload)
            }
            if entry.isMapEntry, let isKnown = entry.isKnownNumber,
                try !Self.hasKnownValue(payload, isKnown, message)
            {
                return unknown.append(contentsOf: whole)
            }
            appendMessage(
                entry.number,
                try WireNormalizer.normalize([payload], message, depth: depth - 1)
            )
        }

        /// Whether the value of a map entry is a number that its closed enum knows.
        private static func hasKnownValue(
            _ payload: UnsafeRawBufferPointer,
            _ isKnown: (Int32) -> Bool,
            _ table: MessageTable
        ) throws(ProtobufError) -> Bool {
            var reader = WireReader(payload)
            // A missing value is the enum's default, which it knows.
            var value: UInt64?
            while !reader.isAtEnd {
                let tag = try reader.tag(in: table.name)
                if tag.number == 2, tag.wireType == .varint {
                    value = try reader.varint(in: table.name)
                } else {
                    try reader.skipValue(tag, depth: 1, in: table.name)
                }
            }
            guard let value else { return true }
            return isKnown(Int32(truncatingIfNeeded: value))
        }

        private mutating func gatherPacked(
            _ entry: FieldEntry,
            _ reader: inout WireReader,
            _ start: Int
        ) throws(ProtobufError) {
            let run = try reader.delimited(in: table.name)
            try WireScanner.checkPacked(run, entry.wireType, table.name)
            guard let isKnown = entry.isKnownNumber else {
                return output.append(contentsOf: reader.bytes(since: start))
            }
            var values = WireReader(run)
            while !values.isAtEnd {
                let value = try values.varint(in: table.name)
                let isKnownValue = isKnown(Int32(truncatingIfNeeded: value))
                var bytes: [UInt8] = []
                WireNormalizer.appendVarint(UInt64(entry.number) << 3, to: &bytes)
                WireNormalizer.appendVarint(value, to: &bytes)
                if isKnownValue { output += bytes } else { unknown += bytes }
            }
        }

        private mutating func dropOtherMembers(of entry: FieldEntry, _ index: Int)
            throws(ProtobufError)
        {
            guard let oneof = entry.oneof else { return }
            for (other, candidate) in table.entries.enumerated()
            where candidate.oneof == oneof && other != index {
                values[other] = nil
                guard let pieces = messages.removeValue(forKey: other),
                    let message = candidate.message?.takeUnretainedValue()
                else { continue }
                // Nobody will see it, but it must be valid all the same.
                _ = try WireNormalizer.normalize(pieces, message, depth: depth - 1)
            }
        }

        private mutating func appendMessage(_ number: UInt32, _ payload: [UInt8]) {
            WireNormalizer.appendVarint(
                UInt64(number) << 3 | UInt64(WireType.lengthDelimited.rawValue),
                to: &output
            )
            WireNormalizer.appendVarint(UInt64(payload.count), to: &output)
            output += payload
        }

        consuming func finish() throws(ProtobufError) -> [UInt8] {
            for bytes in values.values { output.append(contentsOf: bytes) }
            for (index, pieces) in messages {
                guard let message = table.entries[index].message?.takeUnretainedValue() else {
                    continue
                }
                appendMessage(
                    table.entries[index].number,
                    try WireNormalizer.normalize(pieces, message, depth: depth - 1)
                )
            }
            if !unknown.isEmpty { appendMessage(ImageLayout.unknownFieldNumber, unknown) }
            return output
        }
    }

    private static func appendVarint(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
