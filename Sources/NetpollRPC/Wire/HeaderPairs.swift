/// One key and value of a TTHeader block, as bytes of the frame.
enum HeaderPair {
    case string(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)
    case integer(key: UInt16, value: UnsafeRawBufferPointer)
    case aclToken(UnsafeRawBufferPointer)
}

/// Walks the info blocks of a TTHeader: any order, repeated blocks, padding between them.
struct HeaderPairs {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0
    private var left = 0
    private var block: UInt8 = WireFormat.InfoBlock.padding

    /// Starts at the first info block; `bytes` end where the payload begins.
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The next pair, or `nil` at the end of the header.
    mutating func next() throws(WireError) -> HeaderPair? {
        while left == 0 {
            guard offset < bytes.count else { return nil }
            block = bytes[offset]
            offset += 1
            switch block {
            case WireFormat.InfoBlock.padding: continue
            case WireFormat.InfoBlock.strings, WireFormat.InfoBlock.integers:
                left = Int(try integer())
            case WireFormat.InfoBlock.aclToken: return .aclToken(try text())
            default: throw WireError(.badHeader, "info block \(block) is unknown")
            }
        }
        left -= 1
        if block == WireFormat.InfoBlock.integers {
            return .integer(key: try integer(), value: try text())
        }
        return .string(key: try text(), value: try text())
    }

    private mutating func integer() throws(WireError) -> UInt16 {
        guard bytes.count - offset >= 2 else {
            throw WireError(.badHeader, "a header field is cut off")
        }
        defer { offset += 2 }
        return UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    private mutating func text() throws(WireError) -> UnsafeRawBufferPointer {
        let count = Int(try integer())
        guard bytes.count - offset >= count else {
            throw WireError(.badHeader, "a header value is cut off")
        }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }
}
