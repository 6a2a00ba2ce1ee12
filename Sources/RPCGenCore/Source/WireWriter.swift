/// Writes fields in wire form.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    /// The wire types of tags.
    enum WireType: UInt64 {
        case varint = 0
        case fixed64 = 1
        case bytes = 2
        case groupStart = 3
        case groupEnd = 4
        case fixed32 = 5
    }

    mutating func tag(_ number: Int, _ type: WireType) {
        varint(UInt64(truncatingIfNeeded: number) << 3 | type.rawValue)
    }

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func fixed32(_ value: UInt32) {
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    mutating func fixed64(_ value: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    mutating func raw(_ content: [UInt8]) { bytes += content }

    mutating func field(_ number: Int, bytes content: [UInt8]) {
        tag(number, .bytes)
        varint(UInt64(content.count))
        bytes += content
    }
}
