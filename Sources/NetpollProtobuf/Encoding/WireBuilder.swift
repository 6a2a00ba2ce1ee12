/// Collects a message in wire form.
struct WireBuilder {
    private(set) var bytes: [UInt8] = []

    /// Where the content of a message or of a run of numbers begins.
    struct Mark {
        fileprivate let offset: Int
    }

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func tag(_ number: UInt32, _ wireType: WireType) {
        varint(UInt64(number) << 3 | UInt64(wireType.rawValue))
    }

    mutating func fixed(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func delimited(_ content: some Collection<UInt8>) {
        varint(UInt64(content.count))
        bytes += content
    }

    /// Adds bytes that are in wire form already.
    mutating func append(_ other: UnsafeRawBufferPointer) { bytes += other }

    /// The present end, to go back to.
    var mark: Mark { Mark(offset: bytes.count) }

    /// Takes away all that was written since.
    mutating func rewind(to mark: Mark) { bytes.removeLast(bytes.count - mark.offset) }

    func isEmpty(since mark: Mark) -> Bool { bytes.count == mark.offset }

    /// What was written since.
    func content(since mark: Mark) -> ArraySlice<UInt8> { bytes[mark.offset...] }

    /// Begins something whose length is not known yet.
    mutating func beginDelimited() -> Mark {
        // Most lengths take one byte.
        bytes.append(0)
        return mark
    }

    /// Writes the length in front of what was written since.
    mutating func endDelimited(_ mark: Mark) {
        var length = WireBuilder()
        length.varint(UInt64(bytes.count - mark.offset))
        bytes.replaceSubrange(mark.offset - 1..<mark.offset, with: length.bytes)
    }
}
