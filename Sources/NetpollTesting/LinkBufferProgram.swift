internal import NetpollCore

/// Runs bytes as a program of operations on a `LinkBuffer` beside an array that models it.
///
/// Seeded tests and the fuzzer share it: each step is one byte for the operation and a few for its
/// arguments, and after each step both must hold the same bytes.
public struct LinkBufferProgram: ~Copyable {
    private var buffer = LinkBuffer()
    private var model: [UInt8] = []
    /// Slices that were handed out, with the bytes they had then; they must never change.
    private var slices: [(slice: BufferSlice, bytes: [UInt8])] = []
    private var nextByte: UInt8 = 0
    /// All bytes in turn, as many as one step appends and then some: copied at once, because a
    /// debug build is slow one by one.
    private static let pattern = (0..<(65 << 8)).map { UInt8(truncatingIfNeeded: $0) }

    /// Creates an empty buffer and model.
    public init() {}

    /// Runs a program.
    ///
    /// - Parameter program: Any bytes.
    /// - Returns: What differed first, or `nil` if nothing did.
    public mutating func run(_ program: some Sequence<UInt8>) -> String? {
        var arguments = program.makeIterator()
        var step = 0
        while let operation = arguments.next() {
            step += 1
            let count = Int(arguments.next() ?? 0) * Int(1 + (arguments.next() ?? 0) % 64)
            if let difference = perform(operation % 20, count) {
                return "step \(step): \(difference)"
            }
            if buffer.byteCount != model.count {
                return "step \(step): \(buffer.byteCount) bytes, not \(model.count)"
            }
        }
        for (slice, bytes) in slices where Array(slice) != bytes {
            return "a slice changed after it was cut"
        }
        return buffer.readArray(buffer.byteCount) == model ? nil : "the bytes differ at the end"
    }

    private mutating func perform(_ operation: UInt8, _ count: Int) -> String? {
        switch operation {
        case 0: append(count) { $0.write($1) }
        case 1: append(count) { $0.append(BufferSlice(copying: $1)) }
        case 2:
            append(count) { buffer, bytes in
                buffer.write(upTo: bytes.count + 3) { room in
                    for byte in bytes { room.append(byte) }
                }
            }
        case 3:
            append(count) { buffer, bytes in
                var other = LinkBuffer()
                other.write(bytes)
                buffer.append(other)
            }
        case 4: return cut(count) { buffer, count in buffer.readSlice(count).map { Array($0) } }
        case 5: return cut(count) { buffer, count in buffer.readArray(count) }
        case 6:
            return cut(count) { buffer, count in
                guard var part = buffer.slice(count) else { return nil }
                return part.readArray(part.byteCount)
            }
        case 7: return skip(count)
        case 8: return peek(count)
        case 9: return readThrough(UInt8(truncatingIfNeeded: count))
        case 10: return keepSlice(count)
        case 11: return peekInteger(at: count)
        case 12: insert(count)
        case 13: return peekSlice(count)
        case 14: return readByte()
        case 15: appendOwned(count)
        case 16: giveUp(count)
        case 17: return regions()
        case 18: return readInteger()
        default: takeAll()
        }
        return nil
    }

    private mutating func append(_ count: Int, _ body: (inout LinkBuffer, [UInt8]) -> Void) {
        let bytes = Array(Self.pattern.dropFirst(Int(nextByte)).prefix(count))
        nextByte &+= UInt8(truncatingIfNeeded: count)
        body(&buffer, bytes)
        model += bytes
    }

    private mutating func cut(_ count: Int, _ body: (inout LinkBuffer, Int) -> [UInt8]?) -> String?
    {
        let result = body(&buffer, count)
        guard count <= model.count else {
            return result == nil ? nil : "more was cut than was there"
        }
        let expected = Array(model.prefix(count))
        model.removeFirst(count)
        return result == expected ? nil : "cut other bytes"
    }

    private mutating func skip(_ count: Int) -> String? {
        let skipped = buffer.skip(count)
        let expected = min(count, model.count)
        model.removeFirst(expected)
        return skipped == expected ? nil : "skipped \(skipped), not \(expected)"
    }

    private func peek(_ count: Int) -> String? {
        var bytes = [UInt8](repeating: 0, count: count)
        let copied = bytes.withUnsafeMutableBytes { buffer.peek(into: $0) }
        return Array(bytes.prefix(copied)) == Array(model.prefix(count))
            ? nil : "peeked at other bytes"
    }

    private mutating func readThrough(_ delimiter: UInt8) -> String? {
        let result = buffer.read(through: delimiter).map { Array($0) }
        guard let end = model.firstIndex(of: delimiter) else {
            return result == nil ? nil : "found a delimiter that is not there"
        }
        let expected = Array(model[...end])
        model.removeFirst(expected.count)
        return result == expected ? nil : "read through to another place"
    }

    private mutating func keepSlice(_ count: Int) -> String? {
        guard let slice = buffer.readFirstSlice(upTo: max(1, count)) else {
            return model.isEmpty ? nil : "no slice"
        }
        let expected = Array(model.prefix(slice.count))
        model.removeFirst(slice.count)
        if slices.count < 32 { slices.append((slice, expected)) }
        return Array(slice) == expected ? nil : "the first slice differs"
    }

    private mutating func insert(_ count: Int) {
        let bytes = [UInt8](repeating: nextByte, count: count % 7)
        let following = min(count, model.count)
        buffer.insert(BufferSlice(copying: bytes), beforeLast: count)
        model.insert(contentsOf: bytes, at: model.count - following)
    }

    private mutating func peekSlice(_ count: Int) -> String? {
        let result = buffer.peekSlice(count).map { Array($0) }
        guard count <= model.count else { return result == nil ? nil : "more than was there" }
        return result == Array(model.prefix(count)) ? nil : "peeked at another slice"
    }

    private mutating func readByte() -> String? {
        let expected = model.isEmpty ? nil : model.removeFirst()
        return buffer.readByte() == expected ? nil : "another byte"
    }

    private mutating func appendOwned(_ count: Int) {
        append(count) { buffer, bytes in
            let memory = UnsafeMutableRawBufferPointer.allocate(
                byteCount: bytes.count,
                alignment: 1
            )
            memory.copyBytes(from: bytes)
            buffer.append(BufferSlice(owning: memory) { $0.deallocate() })
        }
    }

    /// Writes into a reservation and then throws, which leaves nothing.
    private mutating func giveUp(_ count: Int) {
        struct GivenUp: Error {}
        try? buffer.write(upTo: count + 1) { (room: inout OutputRawSpan) throws(GivenUp) in
            room.append(UInt8(0xFF))
            throw GivenUp()
        }
    }

    private func regions() -> String? {
        var bytes: [UInt8] = []
        var count = 0
        buffer.forEachRegion { region in
            count += 1
            region.withUnsafeBytes { bytes += $0 }
        }
        guard count == buffer.segmentCount else { return "another number of regions" }
        return bytes == model ? nil : "the regions hold other bytes"
    }

    private mutating func readInteger() -> String? {
        let expected =
            model.count < 2 ? nil : model.prefix(2).reduce(UInt16(0)) { $0 << 8 | UInt16($1) }
        if expected != nil { model.removeFirst(2) }
        return buffer.readInteger(as: UInt16.self) == expected ? nil : "another integer"
    }

    private mutating func takeAll() {
        var taken = buffer.takeAll()
        if taken.isEmpty { return buffer.removeAll() }
        buffer.write([nextByte])
        buffer.append(taken.takeAll())
        model.insert(nextByte, at: 0)
    }

    private func peekInteger(at offset: Int) -> String? {
        let result = buffer.peekInteger(at: offset, as: UInt32.self)
        guard offset + 4 <= model.count else {
            return result == nil ? nil : "an integer that is not complete"
        }
        let expected = model[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return result == expected ? nil : "the integer differs"
    }
}
