/// The value of a field in wire form, without its number.
enum WireValue: Equatable {
    case varint(UInt64)
    case fixed32(UInt32)
    case fixed64(UInt64)
    case bytes([UInt8])
    /// What is between the two tags of a group.
    case group([UInt8])

    /// A value whose bits are all zero, or an empty string.
    var isDefault: Bool {
        switch self {
        case .varint(let value): value == 0
        case .fixed32(let value): value == 0
        case .fixed64(let value): value == 0
        case .bytes(let bytes): bytes.isEmpty
        case .group: false
        }
    }

    /// Writes the value with its field's number.
    func write(_ number: Int32, to wire: inout WireWriter) {
        let number = Int(number)
        switch self {
        case .varint: wire.tag(number, .varint)
        case .fixed32: wire.tag(number, .fixed32)
        case .fixed64: wire.tag(number, .fixed64)
        case .bytes(let bytes): return wire.field(number, bytes: bytes)
        case .group(let body):
            wire.tag(number, .groupStart)
            wire.raw(body)
            return wire.tag(number, .groupEnd)
        }
        writeBare(to: &wire)
    }

    /// Writes a number as it stands in a packed list.
    func writeBare(to wire: inout WireWriter) {
        switch self {
        case .varint(let value): wire.varint(value)
        case .fixed32(let value): wire.fixed32(value)
        case .fixed64(let value): wire.fixed64(value)
        case .bytes(let bytes), .group(let bytes): wire.raw(bytes)
        }
    }
}

/// Reads the fields of a message of any type.
struct WireFields {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// The next field; `nil` at the end, and where the bytes are no message.
    mutating func next() -> (number: Int32, value: WireValue)? {
        guard !rest.isEmpty, let tag = varint(), let type = WireWriter.WireType(rawValue: tag & 7)
        else { return nil }
        let number = Int32(truncatingIfNeeded: tag >> 3)
        switch type {
        case .varint: return varint().map { (number, .varint($0)) }
        case .fixed32: return take(4).map { (number, .fixed32(UInt32(Self.integer($0)))) }
        case .fixed64: return take(8).map { (number, .fixed64(Self.integer($0))) }
        case .bytes:
            return varint().flatMap { Int(exactly: $0) }.flatMap { take($0) }
                .map { (number, .bytes(Array($0))) }
        case .groupStart: return group(number).map { (number, .group(Array($0))) }
        case .groupEnd: return nil
        }
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The body of a group; nested ones are skipped by counting.
    private mutating func group(_ number: Int32) -> ArraySlice<UInt8>? {
        let start = rest
        var depth = 1
        while true {
            let end = rest.startIndex
            guard let tag = varint(), let type = WireWriter.WireType(rawValue: tag & 7) else {
                return nil
            }
            switch type {
            case .groupStart: depth += 1
            case .groupEnd:
                depth -= 1
                if depth == 0 { return start[..<end] }
            case .varint: guard varint() != nil else { return nil }
            case .fixed32: guard take(4) != nil else { return nil }
            case .fixed64: guard take(8) != nil else { return nil }
            case .bytes:
                guard varint().flatMap({ Int(exactly: $0) }).flatMap({ take($0) }) != nil else {
                    return nil
                }
            }
        }
    }
}
