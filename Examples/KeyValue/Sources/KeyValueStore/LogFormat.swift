import NetpollProtobuf

/// How records stand in a file: pure.
///
/// The file begins with ``magic``. Each record is the length of its bytes and their CRC-32C, both
/// 32 bits, little-endian, and then the bytes: a `Kv_Record` in wire form, never empty.
enum LogFormat {
    static let magic = Array("kv-log-1".utf8)
    private static let headerByteCount = 8

    /// What a file says.
    struct Contents {
        var records: [Kv_Record] = []
        /// How much of the file is good; what follows is the torn end of a last write.
        var goodByteCount = 0
    }

    /// The bytes of a record.
    static func encode(_ record: Kv_Record) throws -> [UInt8] {
        let body = try record.serializedBytes()
        return littleEndian(UInt32(body.count)) + littleEndian(crc32c(body)) + body
    }

    /// Reads a file.
    ///
    /// A crash in the middle of a write leaves a damaged end, of which nobody was told that it was
    /// written. Damage before a whole record is another thing: acknowledged records are lost.
    ///
    /// - Parameter bytes: All of the file.
    /// - Returns: What can be read.
    /// - Throws: ``LogError``.
    static func decode(_ bytes: [UInt8]) throws -> Contents {
        guard bytes.count >= magic.count else {
            guard magic.starts(with: bytes) else { throw LogError.notALog }
            return Contents()
        }
        guard bytes.starts(with: magic) else { throw LogError.notALog }
        var contents = Contents(goodByteCount: magic.count)
        while let body = body(in: bytes, at: contents.goodByteCount) {
            guard let record = try? Kv_Record(serializedBytes: Array(body)) else {
                throw LogError.damaged(at: contents.goodByteCount)
            }
            contents.records.append(record)
            contents.goodByteCount = body.endIndex
        }
        let rest = contents.goodByteCount..<bytes.count
        if rest.dropFirst().contains(where: { body(in: bytes, at: $0) != nil }) {
            throw LogError.damaged(at: contents.goodByteCount)
        }
        return contents
    }

    /// The body of the record that begins at an offset, if a whole one does.
    private static func body(in bytes: [UInt8], at offset: Int) -> ArraySlice<UInt8>? {
        let start = offset + headerByteCount
        guard start <= bytes.count else { return nil }
        let length = Int(integer(bytes[offset..<(offset + 4)]))
        guard length > 0, length <= bytes.count - start else { return nil }
        let body = bytes[start..<(start + length)]
        return crc32c(body) == integer(bytes[(offset + 4)..<start]) ? body : nil
    }

    private static func littleEndian(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}

/// Why a file cannot be used.
enum LogError: Error, Equatable, CustomStringConvertible {
    case notALog
    case damaged(at: Int)
    case inUse

    var description: String {
        switch self {
        case .notALog: "the file is not a log of this program"
        case .damaged(let offset): "the log is damaged at byte \(offset) and whole records follow"
        case .inUse: "another process uses the log"
        }
    }
}
