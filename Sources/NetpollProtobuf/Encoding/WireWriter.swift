/// Appends the wire format to bytes, for what is rewritten or put together around libprotobuf-c.
enum WireWriter {
    static func appendVarint(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    static func appendTag(_ number: UInt32, _ wireType: WireType, to bytes: inout [UInt8]) {
        appendVarint(UInt64(number) << 3 | UInt64(wireType.rawValue), to: &bytes)
    }

    /// Appends one length-delimited field whose value is the pieces one after the other.
    static func appendDelimited(
        _ number: UInt32,
        _ pieces: [UnsafeRawBufferPointer],
        to bytes: inout [UInt8]
    ) {
        appendTag(number, .lengthDelimited, to: &bytes)
        appendVarint(UInt64(pieces.reduce(0) { $0 + $1.count }), to: &bytes)
        for piece in pieces { bytes.append(contentsOf: piece) }
    }
}
