internal import NetpollCore

/// How messages are wrapped on a connection; a server answers each request in its own wrapping.
public enum Transport: Sendable, Hashable {
    /// A 4-byte length and the message. Carries no metadata, deadline or business status.
    case framed
    /// A TTHeader around the framed message: Kitex's form for protobuf, and the default.
    case ttHeaderFramed
}

/// One frame, cut from the stream: its header, and a payload that is looked at later.
struct Frame: Sendable {
    let transport: Transport
    let header: HeaderInfo
    /// What follows the header; on Framed, and in a TTHeader, it begins with the inner length.
    let payload: BufferSlice

    /// Whether it says something of the connection instead of a call.
    ///
    /// The payload of such a frame is no protobuf message, and never has a checksum.
    var isControl: Bool {
        transport == .ttHeaderFramed && header.sequenceID == 0 && header.isConnectionReset
    }
}

/// A message of the Kitex protobuf protocol.
struct WireMessage: Sendable {
    let type: WireFormat.MessageType
    let method: String
    let sequenceID: Int32
    let body: BufferSlice

    /// Reads `u32 length, u16 0x9001, u16 type, u32 method length, method, i32 sequence id, body`.
    init(parsing payload: BufferSlice) throws(WireError) {
        let count = payload.count
        let fixed = try payload.withUnsafeBytes { bytes throws(WireError) in try Self.head(bytes) }
        type = fixed.type
        method = fixed.method
        sequenceID = fixed.sequenceID
        body = payload.slice(fixed.bodyStart..<count)
    }

    private struct Head {
        let type: WireFormat.MessageType
        let method: String
        let sequenceID: Int32
        let bodyStart: Int
    }

    private static func head(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> Head {
        guard bytes.count >= 16 else { throw WireError(.badPayload, "a message is cut off") }
        func word(_ offset: Int) -> UInt32 {
            UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        guard Int(word(0)) == bytes.count - 4 else {
            throw WireError(.badPayload, "the inner length does not match the frame")
        }
        guard word(4) >> 16 == UInt32(WireFormat.messageMagic) else {
            throw WireError(.badMagic, "the payload is not a protobuf message")
        }
        guard let type = WireFormat.MessageType(rawValue: UInt16(truncatingIfNeeded: word(4)))
        else {
            throw WireError(.badPayload, "message type \(word(4) & 0xFFFF) is unknown")
        }
        let methodCount = Int(word(8))
        guard methodCount > 0, methodCount <= bytes.count - 16 else {
            throw WireError(
                .badPayload,
                "a method name of \(methodCount) bytes does not fit its message"
            )
        }
        let method = String(decoding: bytes[12..<12 + methodCount], as: UTF8.self)
        return Head(
            type: type,
            method: method,
            sequenceID: Int32(bitPattern: word(12 + methodCount)),
            bodyStart: 16 + methodCount
        )
    }
}
