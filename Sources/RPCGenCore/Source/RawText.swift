internal import NetpollProtobuf

/// Text that should be UTF-8 and need not be: comments and strings of a `.proto` file.
struct RawText {
    /// The bytes as they stand in the file.
    let bytes: [UInt8]

    /// The bytes as UTF-8, repaired where they are not.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Keeps bytes that are not UTF-8 as they are, behind the repaired text: in wire form the last
    /// value of a field is the one that counts.
    func keep(asField number: Int, in unknown: inout UnknownFields) {
        guard String(validating: bytes, as: UTF8.self) == nil else { return }
        var wire = WireWriter()
        wire.field(number, bytes: bytes)
        unknown.bytes += wire.bytes
    }
}
