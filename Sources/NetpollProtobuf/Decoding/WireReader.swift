/// A field's number and wire type.
struct WireTag {
    let number: UInt32
    let wireType: WireType
}

/// Somewhere to point to for no bytes.
private struct NoBytes: @unchecked Sendable {
    // @unchecked: nobody reads or writes what it points to.
    static let shared = NoBytes()
    let pointer = UnsafeRawPointer(UnsafeMutablePointer<UInt8>.allocate(capacity: 1))
}

/// Reads the wire format forward, with every length checked.
struct WireReader {
    private let start: UnsafeRawPointer
    let end: UnsafeRawPointer
    var cursor: UnsafeRawPointer

    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer) {
        start = bytes.baseAddress ?? NoBytes.shared.pointer
        end = start + bytes.count
        cursor = start
    }

    @inline(__always) var isAtEnd: Bool { cursor >= end }
    var offset: Int { cursor - start }
    private var remaining: Int { end - cursor }

    /// A varint of at most ten bytes.
    @inline(__always)
    mutating func varint() throws(ProtobufError) -> UInt64 {
        if cursor < end {
            let byte = cursor.load(as: UInt8.self)
            if byte < 0x80 {
                cursor += 1
                return UInt64(byte)
            }
        }
        return try longVarint()
    }

    private mutating func longVarint() throws(ProtobufError) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<10 {
            guard cursor < end else { throw .truncated }
            let byte = cursor.load(as: UInt8.self)
            cursor += 1
            value |= UInt64(byte & 0x7F) &<< UInt64(7 &* index)
            if byte < 0x80 { return value }
        }
        throw ProtobufError(.malformed, "the varint before byte \(offset) has more than ten bytes")
    }

    mutating func fixed32() throws(ProtobufError) -> UInt32 {
        let place = cursor
        try skip(byteCount: 4)
        return UInt32(littleEndian: place.loadUnaligned(as: UInt32.self))
    }

    mutating func fixed64() throws(ProtobufError) -> UInt64 {
        let place = cursor
        try skip(byteCount: 8)
        return UInt64(littleEndian: place.loadUnaligned(as: UInt64.self))
    }

    /// A tag of at most five bytes with a number from 1 to 2^29 - 1 and a known wire type.
    @inline(__always)
    mutating func tag() throws(ProtobufError) -> WireTag {
        let place = cursor
        let raw = try varint()
        guard cursor - place <= 5, raw <= UInt64(UInt32.max), raw >= 8,
            let wireType = WireType(rawValue: UInt8(truncatingIfNeeded: raw & 7))
        else { throw ProtobufError(.malformed, "the tag at byte \(place - start) is not valid") }
        return WireTag(number: UInt32(truncatingIfNeeded: raw >> 3), wireType: wireType)
    }

    /// A length of at most five bytes, and so many bytes.
    @inline(__always)
    mutating func delimited() throws(ProtobufError) -> UnsafeRawBufferPointer {
        let place = cursor
        let length = try varint()
        guard cursor - place <= 5 else {
            throw ProtobufError(.malformed, "the length at byte \(place - start) is not valid")
        }
        guard length <= UInt64(remaining) else { throw .truncated }
        let payload = UnsafeRawBufferPointer(start: cursor, count: Int(length))
        cursor += Int(length)
        return payload
    }

    @inline(__always)
    mutating func skip(byteCount: Int) throws(ProtobufError) {
        guard byteCount <= remaining else { throw .truncated }
        cursor += byteCount
    }

    /// The fields of a group whose start tag was read, without its end tag; `depth` levels of
    /// groups may follow, this one included.
    mutating func groupBody(_ number: UInt32, depth: Int) throws(ProtobufError)
        -> UnsafeRawBufferPointer
    {
        guard depth > 0 else { throw .tooDeep }
        let body = cursor
        while true {
            let bodyEnd = cursor
            let inner = try tag()
            if inner.wireType == .endGroup {
                guard inner.number == number else {
                    throw ProtobufError(
                        .malformed,
                        "the group at byte \(body - start) ends with another number"
                    )
                }
                return UnsafeRawBufferPointer(start: body, count: bodyEnd - body)
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
    func bytes(since offset: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start + offset, count: cursor - start - offset)
    }
}
