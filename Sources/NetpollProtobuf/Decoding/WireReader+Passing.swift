/// The short and common forms, without an error to make: whoever finds that something is not of
/// them looks at it again with the methods that throw.
extension WireReader {
    /// The tag at the cursor if it has one or two bytes; it is not passed.
    @inline(__always)
    func shortTag() -> Int? {
        guard cursor < end else { return nil }
        let first = cursor.load(as: UInt8.self)
        if first < 0x80 { return Int(first) }
        guard end - cursor >= 2 else { return nil }
        let second = cursor.load(fromByteOffset: 1, as: UInt8.self)
        // Two bytes that stand for what one could are left to the others.
        guard second < 0x80, second > 0 else { return nil }
        return Int(first & 0x7F) | Int(second) &<< 7
    }

    /// Passes the short tag that is next and what follows it, or neither.
    @inline(__always)
    mutating func pass(_ payload: ScanStep.Payload, tag: Int) -> Bool {
        let start = cursor
        cursor += tag < 0x80 ? 1 : 2
        let isPassed =
            switch payload {
            case .varint: passVarint()
            case .fixed32: passBytes(4)
            case .fixed64: passBytes(8)
            case .delimited, .value, .element: passDelimited() != nil
            case .packedVarint: passDelimited().map(Self.isRunOfVarints) ?? false
            case .packedFixed32: passDelimited().map { $0.count & 3 == 0 } ?? false
            case .packedFixed64: passDelimited().map { $0.count & 7 == 0 } ?? false
            case .other: false
            }
        if !isPassed { cursor = start }
        return isPassed
    }

    @inline(__always)
    private mutating func passBytes(_ byteCount: Int) -> Bool {
        guard end - cursor >= byteCount else { return false }
        cursor += byteCount
        return true
    }

    @inline(__always)
    private mutating func passVarint() -> Bool {
        if cursor < end, cursor.load(as: UInt8.self) < 0x80 {
            cursor += 1
            return true
        }
        if end - cursor >= 8 {
            let stops = Self.stops(cursor)
            if stops != 0 {
                cursor += stops.trailingZeroBitCount >> 3 + 1
                return true
            }
        }
        return passLongVarint()
    }

    /// Passes a varint of nine or ten bytes, or one near the end.
    @inline(__always)
    private mutating func passLongVarint() -> Bool {
        let limit = min(10, end - cursor)
        for position in 0..<limit
        where cursor.load(fromByteOffset: position, as: UInt8.self) < 0x80 {
            cursor += position + 1
            return true
        }
        return false
    }

    /// The highest bits of those of eight bytes that end a varint.
    @inline(__always)
    private static func stops(_ place: UnsafeRawPointer) -> UInt64 {
        ~UInt64(littleEndian: place.loadUnaligned(as: UInt64.self)) & 0x8080_8080_8080_8080
    }

    /// A length of at most three bytes, and so many bytes.
    @inline(__always)
    private mutating func passDelimited() -> UnsafeRawBufferPointer? {
        var place = cursor
        var length = 0
        var shift = 0
        repeat {
            guard place < end, shift < 21 else { return nil }
            let byte = Int(place.load(as: UInt8.self))
            place += 1
            length |= (byte & 0x7F) &<< shift
            shift += 7
            if byte < 0x80 {
                guard length <= end - place else { return nil }
                cursor = place + length
                return UnsafeRawBufferPointer(start: place, count: length)
            }
        } while true
    }

    /// Whether bytes are whole varints of at most ten bytes each.
    static func isRunOfVarints(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard var place = bytes.baseAddress else { return true }
        let end = place + bytes.count
        // How many bytes of a varint are behind.
        var begun = 0
        while end - place >= 8 {
            let stops = stops(place)
            place += 8
            if stops == 0 {
                begun += 8
            } else {
                guard begun + stops.trailingZeroBitCount >> 3 < 10 else { return false }
                begun = stops.leadingZeroBitCount >> 3
            }
            guard begun < 10 else { return false }
        }
        while place < end {
            begun = place.load(as: UInt8.self) < 0x80 ? 0 : begun + 1
            guard begun < 10 else { return false }
            place += 1
        }
        return begun == 0
    }
}
