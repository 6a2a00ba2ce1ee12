internal import NetpollCore

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

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
    let sequenceID: Int32
    private let payload: BufferSlice
    private let methodByteCount: Int

    private static let methodStart = 12
    /// Everything before the body but the method's name.
    private static let fixedByteCount = 16

    /// Reads `u32 length, u16 0x9001, u16 type, u32 method length, method, i32 sequence id, body`.
    init(parsing payload: BufferSlice) throws(WireError) {
        let head = try payload.withUnsafeBytes { bytes throws(WireError) in try Self.head(bytes) }
        type = head.type
        sequenceID = head.sequenceID
        methodByteCount = head.methodByteCount
        self.payload = payload
    }

    /// The method's name.
    var method: String {
        withMethodBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// The encoded message.
    var body: BufferSlice {
        payload.slice(Self.fixedByteCount + methodByteCount..<payload.count)
    }

    /// Whether the method has this name, in UTF-8.
    func hasMethod(_ name: [UInt8]) -> Bool {
        guard name.count == methodByteCount else { return false }
        return withMethodBytes { bytes in
            name.withUnsafeBytes { name in
                guard let bytes = bytes.baseAddress, let name = name.baseAddress else {
                    return true
                }
                return memcmp(bytes, name, methodByteCount) == 0
            }
        }
    }

    private func withMethodBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        payload.withUnsafeBytes { bytes in
            body(
                UnsafeRawBufferPointer(
                    rebasing: bytes[Self.methodStart..<Self.methodStart + methodByteCount]
                )
            )
        }
    }

    private struct Head {
        let type: WireFormat.MessageType
        let sequenceID: Int32
        let methodByteCount: Int
    }

    private static func head(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> Head {
        guard bytes.count >= fixedByteCount else {
            throw WireError(.badPayload, "a message is cut off")
        }
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
        let methodByteCount = Int(word(8))
        guard methodByteCount > 0, methodByteCount <= bytes.count - fixedByteCount else {
            throw WireError(
                .badPayload,
                "a method name of \(methodByteCount) bytes does not fit its message"
            )
        }
        return Head(
            type: type,
            sequenceID: Int32(bitPattern: word(methodStart + methodByteCount)),
            methodByteCount: methodByteCount
        )
    }
}
