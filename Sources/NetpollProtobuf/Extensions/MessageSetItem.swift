/// One extension in a message with `message_set_wire_format`: a group with its number and its
/// message, in whatever order.
///
///     group Item = 1 { required int32 type_id = 2; required bytes message = 3; }
struct MessageSetItem {
    static let number: UInt32 = 1
    private static let idNumber: UInt32 = 2
    private static let messageNumber: UInt32 = 3

    let id: Int
    /// The message as an ordinary field with the item's number.
    let field: [UInt8]

    /// Reads a group's fields; `nil` if they are not an item with a number and a message.
    init?(_ body: UnsafeRawBufferPointer, depth: Int) throws(ProtobufError) {
        var reader = WireReader(body)
        var id: UInt64 = 0
        var pieces: [UnsafeRawBufferPointer] = []
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch (tag.number, tag.wireType) {
            // The first number counts, as in Google's runtimes.
            case (Self.idNumber, .varint): id = id == 0 ? try reader.varint() : id
            case (Self.messageNumber, .lengthDelimited): pieces.append(try reader.delimited())
            default: try reader.skipValue(tag, depth: depth - 1)
            }
        }
        guard let message = pieces.first, id > 0, id < 1 << 29 else { return nil }
        self.id = Int(id)
        var field: [UInt8] = []
        WireWriter.appendDelimited(UInt32(id), [message], to: &field)
        self.field = field
    }

    /// The bytes of an item behind its start tag, its end tag included.
    static func bytes(_ number: UInt32, _ message: UnsafeRawBufferPointer) -> [UInt8] {
        var bytes: [UInt8] = []
        WireWriter.appendTag(idNumber, .varint, to: &bytes)
        WireWriter.appendVarint(UInt64(number), to: &bytes)
        WireWriter.appendDelimited(messageNumber, [message], to: &bytes)
        WireWriter.appendTag(Self.number, .endGroup, to: &bytes)
        return bytes
    }
}
