#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

extension LinkBuffer {
    /// Fills `vectors` with the readable runs from the front, as writev(2) wants them.
    ///
    /// - Returns: How many entries were filled. They are valid until the next call on this buffer.
    func fill(_ vectors: UnsafeMutableBufferPointer<iovec>) -> Int {
        let count = min(vectors.count, segmentCount)
        for index in 0..<count {
            let readable = segments[index].readable
            vectors[index] = iovec(
                iov_base: UnsafeMutableRawPointer(mutating: readable.baseAddress),
                iov_len: readable.count
            )
        }
        return count
    }

    /// Makes sure that the bytes now held and those that follow, `total` in all, will lie in one
    /// block, moving what is held if it must.
    ///
    /// Used when a message's length is known before its bytes have come. A peer's claim alone buys
    /// no memory: the block is at most four times what has arrived, or 64 KiB.
    mutating func prepareContiguous(_ total: Int) {
        guard byteCount > 0, total > byteCount else { return }
        if segments.count == 1, segments[0].limit - segments[0].start >= total { return }
        let earned = max(64 << 10, byteCount.multipliedReportingOverflow(by: 4).partialValue)
        let wanted = min(total, earned)
        if segments.count == 1, segments[0].limit - segments[0].start >= wanted { return }
        let block = BufferBlock(minimumCapacity: wanted)
        let held = byteCount
        peek(into: UnsafeMutableRawBufferPointer(start: block.base, count: held))
        removeAll()
        segments.append(Segment(block: block, start: 0, end: held, limit: block.capacity))
        byteCount = held
    }
}
