internal import NetpollCore

/// The body of an exception: protobuf `message { int32 TypeID = 1; string Message = 2; }`.
///
/// Read and written by hand because it is part of the protocol, not of anybody's schema, and
/// because a peer's broken exception must still become an error.
struct WireException: Hashable {
    var typeID: Int32
    var message: String

    init(typeID: Int32, message: String) {
        self.typeID = typeID
        self.message = message
    }

    /// Reads a body; fields that cannot be read keep their defaults, as far as it is readable.
    init(parsing body: BufferSlice) {
        typeID = 0
        message = ""
        let bytes = Array(body)
        var offset = 0
        while offset < bytes.count, let tag = Self.varint(bytes, &offset) {
            switch (tag >> 3, tag & 7) {
            case (1, 0):
                guard let value = Self.varint(bytes, &offset) else { return }
                typeID = Int32(truncatingIfNeeded: value)
            case (_, 0):
                guard Self.varint(bytes, &offset) != nil else { return }
            case (let field, 2):
                guard let length = Self.varint(bytes, &offset),
                    length <= UInt64(bytes.count - offset)
                else { return }
                let end = offset + Int(length)
                if field == 2 { message = String(decoding: bytes[offset..<end], as: UTF8.self) }
                offset = end
            default:
                return
            }
        }
    }

    /// The body in wire form; zero and empty fields are left out, as proto3 does.
    var bytes: [UInt8] {
        var result: [UInt8] = []
        if typeID != 0 {
            result.append(0x08)
            Self.append(UInt64(bitPattern: Int64(typeID)), to: &result)
        }
        if !message.isEmpty {
            result.append(0x12)
            Self.append(UInt64(message.utf8.count), to: &result)
            result += message.utf8
        }
        return result
    }

    private static func varint(_ bytes: [UInt8], _ offset: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: 0 as UInt64, to: 70, by: 7) {
            guard offset < bytes.count else { return nil }
            let byte = bytes[offset]
            offset += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
