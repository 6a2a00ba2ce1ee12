extension [UInt8] {
    /// As `withUnsafeBytes`, but keeps the type of what is thrown.
    @inlinable func withRawBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R)
        throws(E) -> R
    {
        try withUnsafeBufferPointer { (bytes) throws(E) in try body(UnsafeRawBufferPointer(bytes)) }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether all bytes are below 128.
    @inline(__always) var isASCII: Bool {
        guard let start = baseAddress, count >= 8 else { return allSatisfy { $0 < 0x80 } }
        let end = start + count
        var place = start
        var lanes = SIMD4<UInt64>.zero
        while end - place > 32 {
            lanes |= place.loadUnaligned(as: SIMD4<UInt64>.self)
            place += 32
        }
        // The last eight bytes may have been seen in part.
        var bits = (end - 8).loadUnaligned(as: UInt64.self)
        while end - place > 8 {
            bits |= place.loadUnaligned(as: UInt64.self)
            place += 8
        }
        bits |= lanes[0] | lanes[1] | lanes[2] | lanes[3]
        return bits & 0x8080_8080_8080_8080 == 0
    }
}
