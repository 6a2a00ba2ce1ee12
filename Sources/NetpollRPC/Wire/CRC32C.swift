internal import CNetpoll

/// CRC-32C (Castagnoli), by the processor's own instruction where there is one.
enum CRC32C {
    /// The checksum of some bytes.
    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        guard let base = bytes.baseAddress else { return 0 }
        return hasInstruction
            ? ~cnetpoll_crc32c(.max, base, bytes.count) : checksumByTable(bytes)
    }

    private static let hasInstruction = cnetpoll_has_crc32c() != 0

    /// As ``checksum(_:)``, without the instruction: eight bytes a step through eight tables.
    static func checksumByTable(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        tables.withUnsafeBufferPointer { tables in
            var sum = UInt32.max
            var offset = 0
            while bytes.count - offset >= 8 {
                let word = UInt64(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                )
                let mixed = word ^ UInt64(sum)
                sum = 0
                for index in 0..<8 {
                    let byte = Int(truncatingIfNeeded: mixed >> (8 * UInt64(index))) & 0xFF
                    sum ^= tables[(7 - index) * 256 + byte]
                }
                offset += 8
            }
            while offset < bytes.count {
                sum = tables[Int((sum ^ UInt32(bytes[offset])) & 0xFF)] ^ (sum >> 8)
                offset += 1
            }
            return ~sum
        }
    }

    /// Table `n` tells what a byte does to the sum when `n` zero bytes follow it.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var sum = UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? (sum >> 1) ^ 0x82F6_3B78 : sum >> 1 }
            tables[byte] = sum
        }
        for index in 256..<tables.count {
            let before = tables[index - 256]
            tables[index] = tables[Int(before & 0xFF)] ^ (before >> 8)
        }
        return tables
    }()
}

// MARK: - As text

extension CRC32C {
    private static let digitCount = 8

    /// Reads eight lower-case hexadecimal digits; `nil` for anything else, as Kitex compares texts.
    static func parse(_ text: UnsafeRawBufferPointer) -> UInt32? {
        guard text.count == digitCount else { return nil }
        var sum: UInt32 = 0
        for byte in text {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            sum = sum << 4 | UInt32(digit)
        }
        return sum
    }

    /// Writes eight lower-case hexadecimal digits.
    static func write(_ sum: UInt32, to target: UnsafeMutableRawPointer) {
        for index in 0..<digitCount {
            let digit = UInt8(truncatingIfNeeded: sum >> (28 - 4 * UInt32(index))) & 0xF
            let letter = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            target.storeBytes(of: letter, toByteOffset: index, as: UInt8.self)
        }
    }
}
