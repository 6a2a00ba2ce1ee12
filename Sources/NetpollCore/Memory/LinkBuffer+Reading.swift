extension LinkBuffer {
    /// Forgets up to `count` bytes at the front and returns how many.
    @discardableResult
    public mutating func skip(_ count: Int) -> Int {
        let skipped = min(max(0, count), byteCount)
        var left = skipped
        while left > 0 {
            let available = segments[0].count
            if left < available {
                segments[0].start += left
                left = 0
            } else {
                left -= available
                dropFirst()
            }
        }
        byteCount -= skipped
        return skipped
    }

    /// Drops the first segment, which was read to its end; if it is the last and nobody else holds
    /// its block, the block is kept for what is written next.
    private mutating func dropFirst() {
        let isLast = segments.count == 1 && segments[0].limit == segments[0].block.capacity
        guard isLast, segments[0].block.isReusable, isKnownUniquelyReferenced(&segments[0].block)
        else {
            segments.dropFirst()
            return
        }
        segments[0].start = 0
        segments[0].end = 0
    }

    /// The byte that lies `offset` bytes from the front, or `nil` if there are fewer.
    public func peekByte(at offset: Int = 0) -> UInt8? {
        guard offset >= 0, offset < byteCount else { return nil }
        return byte(at: offset)
    }

    /// Reads one byte, or returns `nil` when the buffer is empty.
    public mutating func readByte() -> UInt8? {
        guard let byte = peekByte() else { return nil }
        skip(1)
        return byte
    }

    /// The first `count` bytes as one contiguous slice, without consuming them, or `nil` if there
    /// are fewer.
    ///
    /// Bytes that cross blocks are moved into one, once: to ask again costs nothing.
    public mutating func peekSlice(_ count: Int) -> BufferSlice? {
        guard count >= 0, count <= byteCount else { return nil }
        guard count > 0 else { return BufferSlice() }
        if segments[0].count < count { gather(count) }
        return BufferSlice(block: segments[0].block, start: segments[0].start, count: count)
    }

    /// Moves the first `count` bytes into one block.
    private mutating func gather(_ count: Int) {
        let block = BufferBlock.make(minimumCapacity: count)
        peek(into: UnsafeMutableRawBufferPointer(start: block.base, count: count))
        var gathered = LinkBuffer()
        gathered.segments.append(Segment(block: block, start: 0, end: count, limit: count))
        gathered.byteCount = count
        skip(count)
        gathered.append(takeAll())
        self = gathered
    }

    /// Copies bytes from the front without consuming them, as many as both sides have.
    ///
    /// - Returns: How many bytes were copied.
    @discardableResult
    public func peek(into target: UnsafeMutableRawBufferPointer) -> Int {
        let wanted = min(target.count, byteCount)
        var copied = 0
        var index = 0
        while copied < wanted {
            let source = segments[index].readable.prefix(wanted - copied)
            UnsafeMutableRawBufferPointer(rebasing: target[copied...]).copyBytes(from: source)
            copied += source.count
            index += 1
        }
        return copied
    }

    /// The big-endian integer that begins `offset` bytes from the front, or `nil` if it is not
    /// complete.
    @inlinable
    public func peekInteger<T: FixedWidthInteger>(at offset: Int = 0, as type: T.Type = T.self)
        -> T?
    {
        let size = MemoryLayout<T>.size
        guard offset >= 0, byteCount >= size, offset <= byteCount - size else { return nil }
        if let bytes = firstRun(from: offset, byteCount: size) {
            return T(bigEndian: bytes.loadUnaligned(as: T.self))
        }
        var value: T = 0
        for index in offset..<(offset + size) {
            value = value << 8 | T(truncatingIfNeeded: byte(at: index))
        }
        return value
    }

    /// Where some bytes lie, if all of them lie in the first block.
    @usableFromInline
    func firstRun(from offset: Int, byteCount: Int) -> UnsafeRawPointer? {
        let first = segments[0]
        guard first.count >= offset + byteCount else { return nil }
        return UnsafeRawPointer(first.block.base + first.start + offset)
    }

    /// Reads a big-endian integer, or returns `nil` and consumes nothing if it is not complete.
    @inlinable
    public mutating func readInteger<T: FixedWidthInteger>(as type: T.Type = T.self) -> T? {
        guard let value = peekInteger(as: T.self) else { return nil }
        skip(MemoryLayout<T>.size)
        return value
    }

    @usableFromInline
    func byte(at offset: Int) -> UInt8 {
        var left = offset
        var index = 0
        while left >= segments[index].count {
            left -= segments[index].count
            index += 1
        }
        return segments[index].readable[left]
    }

    /// Cuts the first `count` bytes off as one contiguous slice, or returns `nil` and consumes
    /// nothing if there are fewer.
    ///
    /// Copies only when the bytes lie in several blocks.
    public mutating func readSlice(_ count: Int) -> BufferSlice? {
        guard count >= 0, count <= byteCount else { return nil }
        guard count > 0 else { return BufferSlice() }
        if segments[0].count >= count {
            let slice = BufferSlice(
                block: segments[0].block,
                start: segments[0].start,
                count: count
            )
            skip(count)
            return slice
        }
        let block = BufferBlock.make(minimumCapacity: count)
        peek(into: UnsafeMutableRawBufferPointer(start: block.base, count: count))
        skip(count)
        return BufferSlice(block: block, start: 0, count: count)
    }

    /// Cuts the first bytes off as one contiguous slice, at most `limit` and at least one; `nil`
    /// when the buffer is empty.
    ///
    /// Never copies.
    public mutating func readFirstSlice(upTo limit: Int) -> BufferSlice? {
        guard byteCount > 0, limit > 0 else { return nil }
        return readSlice(min(segments[0].count, limit))
    }

    /// Moves the first `count` bytes into a buffer of their own without copying them, or returns
    /// `nil` and consumes nothing if there are fewer.
    public mutating func slice(_ count: Int) -> LinkBuffer? {
        guard count >= 0, count <= byteCount else { return nil }
        var result = LinkBuffer()
        var left = count
        while left > 0 {
            let first = segments[0]
            let taken = min(left, first.count)
            // The cut-off part may not be extended: the rest of the block stays with this buffer.
            result.segments.append(
                Segment(
                    block: first.block,
                    start: first.start,
                    end: first.start + taken,
                    limit: first.start + taken
                )
            )
            skip(taken)
            left -= taken
        }
        result.byteCount = count
        return result
    }

    /// Reads `count` bytes as an array of their own, or returns `nil` and consumes nothing.
    public mutating func readArray(_ count: Int) -> [UInt8]? {
        guard count >= 0, count <= byteCount else { return nil }
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
            initialized = peek(into: UnsafeMutableRawBufferPointer(target))
        }
        skip(count)
        return bytes
    }

    /// Reads `count` bytes as UTF-8, repairing what is not valid, or returns `nil` and consumes
    /// nothing if there are fewer.
    public mutating func readString(_ count: Int) -> String? {
        guard let slice = readSlice(count) else { return nil }
        return slice.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Reads up to and including the first `delimiter`, or returns `nil` and consumes nothing when
    /// there is none.
    public mutating func read(through delimiter: UInt8) -> BufferSlice? {
        var scanned = 0
        for index in 0..<segments.count {
            if let found = segments[index].readable.firstIndex(of: delimiter) {
                return readSlice(scanned + found + 1)
            }
            scanned += segments[index].count
        }
        return nil
    }
}
