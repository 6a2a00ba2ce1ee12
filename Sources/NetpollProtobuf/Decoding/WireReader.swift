/// A field's number and wire type.
struct WireTag {
    let number: UInt32
    let wireType: WireType
}

/// Reads the wire format forward, with every length checked.
struct WireReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { offset >= bytes.count }

    /// A varint of at most ten bytes.
    @inline(__always)
    mutating func varint() throws(ProtobufError) -> UInt64 {
        if offset < bytes.count, bytes[offset] < 0x80 {
            defer { offset &+= 1 }
            return UInt64(bytes[offset])
        }
        return try longVarint()
    }

    private mutating func longVarint() throws(ProtobufError) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<10 {
            guard offset < bytes.count else { throw .truncated }
            let byte = bytes[offset]
            offset += 1
            value |= UInt64(byte & 0x7F) &<< UInt64(7 * index)
            if byte < 0x80 { return value }
        }
        throw ProtobufError(.malformed, "the varint before byte \(offset) has more than ten bytes")
    }

    mutating func fixed32() throws(ProtobufError) -> UInt32 {
        let start = offset
        try skip(byteCount: 4)
        return UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
    }

    mutating func fixed64() throws(ProtobufError) -> UInt64 {
        let start = offset
        try skip(byteCount: 8)
        return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
    }

    /// A tag of at most five bytes with a number from 1 to 2^29 - 1 and a known wire type.
    @inline(__always)
    mutating func tag() throws(ProtobufError) -> WireTag {
        let start = offset
        let raw = try varint()
        guard offset - start <= 5, raw <= UInt64(UInt32.max), raw >= 8,
            let wireType = WireType(rawValue: UInt8(raw & 7))
        else { throw ProtobufError(.malformed, "the tag at byte \(start) is not valid") }
        return WireTag(number: UInt32(raw >> 3), wireType: wireType)
    }

    /// A length of at most five bytes, and so many bytes.
    @inline(__always)
    mutating func delimited() throws(ProtobufError) -> UnsafeRawBufferPointer {
        let start = offset
        let length = try varint()
        guard offset - start <= 5 else {
            throw ProtobufError(.malformed, "the length at byte \(start) is not valid")
        }
        guard length <= UInt64(bytes.count - offset) else { throw .truncated }
        defer { offset += Int(length) }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(length)])
    }

    @inline(__always)
    mutating func skip(byteCount: Int) throws(ProtobufError) {
        guard byteCount <= bytes.count - offset else { throw .truncated }
        offset += byteCount
    }

    /// The fields of a group whose start tag was read, without its end tag; `depth` levels of groups
    /// may follow, this one included.
    mutating func groupBody(_ number: UInt32, depth: Int) throws(ProtobufError)
        -> UnsafeRawBufferPointer
    {
        guard depth > 0 else { throw .tooDeep }
        let start = offset
        while true {
            let end = offset
            let inner = try tag()
            if inner.wireType == .endGroup {
                guard inner.number == number else {
                    throw ProtobufError(
                        .malformed,
                        "the group at byte \(start) ends with another number"
                    )
                }
                return UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            }
            try skipValue(inner, depth: depth - 1)
        }
    }

    /// Skips a value whose tag was read; groups down to their end, within `depth` more levels.
    mutating func skipValue(_ tag: WireTag, depth: Int) throws(ProtobufError) {
        switch tag.wireType {
        case .varint: _ = try varint()
        case .fixed64: try skip(byteCount: 8)
        case .fixed32: try skip(byteCount: 4)
        case .lengthDelimited: _ = try delimited()
        case .endGroup:
            throw ProtobufError(
                .malformed,
                "a group that did not begin ends before byte \(offset)"
            )
        case .startGroup: _ = try groupBody(tag.number, depth: depth)
        }
    }

    /// The bytes from an earlier offset up to here.
    func bytes(since start: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
    }
}
