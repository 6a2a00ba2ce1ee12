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

    /// The readable bytes, if all of them lie in one block and there are any.
    var onlyRun: iovec? {
        guard segments.count == 1, byteCount > 0 else { return nil }
        let readable = segments[0].readable
        return iovec(
            iov_base: UnsafeMutableRawPointer(mutating: readable.baseAddress),
            iov_len: readable.count
        )
    }

    /// Appends what `body` fills of two reservations, as readv(2) does: the rest of the last block
    /// first, then a new block if that is not enough.
    ///
    /// - Parameters:
    ///   - count: How many bytes the reservations have together; at least 1.
    ///   - body: Fills them in order and returns how many bytes it wrote.
    /// - Returns: What `body` returns.
    mutating func read(
        upTo count: Int,
        _ body: (UnsafeMutableBufferPointer<iovec>) -> IOResult
    ) -> IOResult {
        if segments.isEmpty { return readIntoNewBlock(count, body) }
        let tail = tailForReading(count)
        let missing = count - tail.count
        let block = missing > 0 ? BufferBlock.make(minimumCapacity: missing) : nil
        return withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { vectors in
            var filled = 0
            if !tail.isEmpty {
                vectors[0] = iovec(iov_base: tail.baseAddress, iov_len: tail.count)
                filled = 1
            }
            if let block {
                vectors[filled] = iovec(iov_base: block.base, iov_len: block.capacity)
                filled += 1
            }
            let result = body(UnsafeMutableBufferPointer(rebasing: vectors[..<filled]))
            guard case .moved(let moved) = result, moved > 0 else { return result }
            commit(min(moved, tail.count))
            let rest = moved - tail.count
            if let block, rest > 0 {
                dropLastIfEmpty()
                segments.append(Segment(block: block, start: 0, end: rest, limit: block.capacity))
                byteCount += rest
            }
            return result
        }
    }

    /// The most usual case: nothing is left of what came before.
    private mutating func readIntoNewBlock(
        _ count: Int,
        _ body: (UnsafeMutableBufferPointer<iovec>) -> IOResult
    ) -> IOResult {
        let block = BufferBlock.make(minimumCapacity: count)
        var piece = iovec(iov_base: block.base, iov_len: block.capacity)
        let result = withUnsafeMutablePointer(to: &piece) {
            body(UnsafeMutableBufferPointer(start: $0, count: 1))
        }
        guard case .moved(let moved) = result, moved > 0 else {
            BufferBlock.letGo(block)
            return result
        }
        let capacity = block.capacity
        segments.append(Segment(block: block, start: 0, end: moved, limit: capacity))
        byteCount += moved
        return result
    }

    /// What the last block has left, at most `count` bytes; nothing if that is so little that it
    /// would only cut the next message in two.
    private func tailForReading(_ count: Int) -> UnsafeMutableRawBufferPointer {
        guard !segments.isEmpty else { return .init(start: nil, count: 0) }
        let room = segments[segments.count - 1].writable.prefix(count)
        return room.count < min(count, 1024)
            ? .init(start: nil, count: 0) : UnsafeMutableRawBufferPointer(rebasing: room)
    }

    /// How many bytes the last block can take.
    var roomInLastBlock: Int {
        segments.isEmpty ? 0 : segments[segments.count - 1].writable.count
    }

    /// Makes sure that the bytes now held and those that follow, `total` in all, will lie in one
    /// block, moving what is held if it must.
    ///
    /// Used when a message's length is known before its bytes have come. A peer's claim alone buys
    /// no memory: the block is 64 KiB or sixteen times what has arrived, or for all of the message if
    /// that is no more than twice the latter.
    mutating func prepareContiguous(_ total: Int) {
        guard byteCount > 0, total > byteCount else { return }
        if segments.count == 1, segments[0].limit - segments[0].start >= total { return }
        let earned = byteCount.multipliedReportingOverflow(by: 16).partialValue
        let wanted = earned >= total / 2 ? total : min(total, max(64 << 10, earned))
        if segments.count == 1, segments[0].limit - segments[0].start >= wanted { return }
        let block = BufferBlock.make(minimumCapacity: wanted)
        let held = byteCount
        peek(into: UnsafeMutableRawBufferPointer(start: block.base, count: held))
        removeAll()
        segments.append(Segment(block: block, start: 0, end: held, limit: block.capacity))
        byteCount = held
    }
}
