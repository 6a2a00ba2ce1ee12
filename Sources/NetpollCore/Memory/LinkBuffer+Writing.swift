extension LinkBuffer {
    /// Appends what `body` writes into one contiguous reservation: all of it, part of it or nothing.
    ///
    /// The reservation cannot outlive the call. What `body` wrote before it throws is dropped.
    ///
    /// - Parameters:
    ///   - count: The size of the reservation in bytes; must not be negative.
    ///   - body: Appends to the span, at most `count` bytes.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    public mutating func write<R, E: Error>(
        upTo count: Int,
        _ body: (inout OutputRawSpan) throws(E) -> R
    ) throws(E) -> R {
        let room = reserve(count)
        var span = OutputRawSpan(buffer: room, initializedCount: 0)
        let result = try body(&span)
        commit(span.finalize(for: room))
        return result
    }

    /// Room for exactly `count` contiguous bytes at the end, to be filled before ``commit(_:)``.
    ///
    /// The memory is valid until the next call on this buffer, and nothing checks that: users have
    /// ``write(upTo:_:)``. `count` must not be negative.
    package mutating func reserve(_ count: Int) -> UnsafeMutableRawBufferPointer {
        precondition(count >= 0, "a reservation cannot be negative")
        return UnsafeMutableRawBufferPointer(rebasing: reserveAtLeast(count)[..<count])
    }

    /// Room for at least `minimum` contiguous bytes at the end: all that the last block has left.
    mutating func reserveAtLeast(_ minimum: Int) -> UnsafeMutableRawBufferPointer {
        if !segments.isEmpty {
            let room = segments[segments.count - 1].writable
            if room.count >= minimum { return room }
            dropLastIfEmpty()
        }
        let block = BufferBlock.make(minimumCapacity: max(minimum, Self.minimumBlockByteCount))
        segments.append(Segment(block: block, start: 0, end: 0, limit: block.capacity))
        return segments[segments.count - 1].writable
    }

    /// Makes the first `count` bytes of the last reservation readable.
    package mutating func commit(_ count: Int) {
        guard count > 0 else { return }
        let last = segments.count - 1
        precondition(count <= segments[last].writable.count, "commit what was reserved, not more")
        segments[last].end += count
        byteCount += count
    }

    /// Appends a copy of some bytes.
    ///
    /// Packs into the last block if they fit; else into a new one, in one piece.
    public mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        let room = reserveAtLeast(bytes.count)
        room.copyMemory(from: bytes)
        commit(bytes.count)
    }

    /// Appends a copy of some bytes.
    public mutating func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { write($0) }
    }

    /// Appends a copy of a string's UTF-8 bytes, without a length or terminator.
    public mutating func write(_ string: some StringProtocol) {
        var string = String(string)
        string.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    /// Appends an integer, most significant byte first.
    public mutating func write(_ integer: some FixedWidthInteger) {
        withUnsafeBytes(of: integer.bigEndian) { write($0) }
    }

    /// Appends a slice without copying its bytes.
    public mutating func append(_ slice: BufferSlice) {
        guard let segment = slice.segment else { return }
        dropLastIfEmpty()
        segments.append(segment)
        byteCount += slice.count
    }

    /// Puts a slice before the last `count` bytes, without copying it or them.
    ///
    /// So a message can be written into one reservation, header to trailer, and its payloads be
    /// spliced in afterwards.
    ///
    /// - Parameters:
    ///   - slice: What to insert.
    ///   - count: How many bytes follow it; clamped to what there is.
    public mutating func insert(_ slice: BufferSlice, beforeLast count: Int) {
        guard let inserted = slice.segment else { return }
        guard count > 0 else { return append(slice) }
        dropLastIfEmpty()
        var following: [Segment] = []
        var left = min(count, byteCount)
        while left > 0 {
            var last = segments[segments.count - 1]
            segments.removeLast()
            if left < last.count {
                var head = last
                head.end = last.end - left
                // The rest of the block stays with the part that follows.
                head.limit = head.end
                last.start = head.end
                segments.append(head)
            }
            left -= last.count
            following.append(last)
        }
        segments.append(inserted)
        byteCount += slice.count
        for segment in following.reversed() { segments.append(segment) }
    }

    /// Moves all bytes of another buffer to the end of this one without copying them.
    public mutating func append(_ other: consuming LinkBuffer) {
        dropLastIfEmpty()
        if segments.isEmpty {
            self = other
            return
        }
        byteCount += other.byteCount
        while !other.segments.isEmpty { segments.append(other.segments.removeFirst()) }
    }

    /// Only the last segment may be empty; it is dropped before another one follows it.
    mutating func dropLastIfEmpty() {
        if hasEmptyLast { segments.removeLast() }
    }
}
