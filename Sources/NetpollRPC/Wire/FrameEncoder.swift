internal import NetpollCore

/// What goes before a message's body.
struct FrameHead: Sendable {
    var transport: Transport
    var flags: UInt16 = 0
    var type: WireFormat.MessageType
    var sequenceID: Int32
    var method: [UInt8]
    /// The pairs that every frame of the kind has.
    var template: HeaderTemplate
    /// Who calls, as ``HeaderTemplate/caller(_:)`` has it; requests only.
    var caller: [UInt8] = []
    /// Further string pairs; TTHeader only.
    var strings: [(key: String, value: String)] = []
    /// The caller's timeout, at least 1; TTHeader requests only.
    var timeoutMilliseconds: Int?
    /// Whether the header tells the payload's CRC-32C; TTHeader only.
    var hasChecksum = false

    fileprivate var dynamicStringCount: Int { strings.count + (hasChecksum ? 1 : 0) }

    fileprivate var integerCount: UInt16 {
        template.integerCount &+ (caller.isEmpty ? 0 : HeaderTemplate.callerPairCount)
            &+ (timeoutMilliseconds == nil ? 0 : 1)
    }
}

/// Writes frames into an outbound buffer: header, message head and body in one reservation.
///
/// Pure.
enum FrameEncoder {
    /// How many bytes the frame of a head and a body has, or an error when it exceeds a limit.
    static func byteCount(
        of head: FrameHead,
        bodyByteCount: Int,
        limits: WireLimits
    ) throws(WireError) -> Int {
        let longest = head.strings.reduce(0) { max($0, $1.key.utf8.count, $1.value.utf8.count) }
        guard longest <= Int(UInt16.max) else {
            throw WireError(.tooLarge, "metadata of \(longest) bytes exceeds 65,535")
        }
        let header = headerBlockByteCount(head)
        guard header <= min(limits.headerByteCount, WireFormat.headerByteCountLimit) else {
            throw WireError(
                .tooLarge,
                "a header of \(header) bytes exceeds the limit of \(limits.headerByteCount)"
            )
        }
        let prefix =
            head.transport == .ttHeaderFramed ? WireFormat.headerPrefixByteCount + header : 0
        let total = prefix + 16 + head.method.count + bodyByteCount
        guard total <= limits.frameByteCount, total <= Int(UInt32.max) else {
            throw WireError(
                .tooLarge,
                "a frame of \(total) bytes exceeds the limit of \(limits.frameByteCount)"
            )
        }
        return total
    }

    /// Writes a frame whose body lies elsewhere; a long one is not copied.
    ///
    /// - Parameters:
    ///   - head: What goes before the body.
    ///   - byteCount: What ``byteCount(of:bodyByteCount:limits:)`` said.
    ///   - body: The message.
    ///   - output: Where the frame goes.
    static func write(
        _ head: FrameHead,
        byteCount: Int,
        body: BufferSlice,
        to output: inout LinkBuffer
    ) {
        // A checksum is taken over bytes in one piece.
        if body.count >= splicedByteCount, !head.hasChecksum {
            let headByteCount = byteCount - body.count
            _ = writeHead(head, byteCount, output.reserve(headByteCount))
            output.commit(headByteCount)
            output.append(body)
            return
        }
        let target = append(head, byteCount: byteCount, to: &output)
        body.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(start: target, count: $0.count).copyMemory(from: $0)
        }
        finish(head, byteCount: byteCount, body: target, in: &output)
    }

    /// From this size on a body is sent from where it lies.
    private static let splicedByteCount = 16 << 10

    /// Reserves a frame at the end of `output` and writes all of it but its body.
    ///
    /// - Parameters:
    ///   - head: What goes before the body.
    ///   - byteCount: What ``byteCount(of:bodyByteCount:limits:)`` said.
    ///   - output: Where the frame goes.
    /// - Returns: Where the body belongs. Write it, then ``finish(_:byteCount:body:in:)``.
    static func append(
        _ head: FrameHead,
        byteCount: Int,
        to output: inout LinkBuffer
    ) -> UnsafeMutableRawPointer {
        writeHead(head, byteCount, output.reserve(byteCount))
    }

    /// Writes what comes before the body of a frame of so many bytes.
    ///
    /// - Returns: The end of what was written.
    private static func writeHead(
        _ head: FrameHead,
        _ byteCount: Int,
        _ room: UnsafeMutableRawBufferPointer
    ) -> UnsafeMutableRawPointer {
        var writer = ByteWriter(room)
        var messageByteCount = byteCount
        if head.transport == .ttHeaderFramed {
            let blockByteCount = headerBlockByteCount(head)
            writeHeader(head, byteCount, blockByteCount, &writer)
            messageByteCount -= WireFormat.headerPrefixByteCount + blockByteCount
        }
        writer.write(UInt32(truncatingIfNeeded: messageByteCount - 4))
        writer.write(WireFormat.messageMagic)
        writer.write(head.type.rawValue)
        writer.write(UInt32(truncatingIfNeeded: head.method.count))
        writer.write(head.method)
        writer.write(head.sequenceID)
        return writer.position
    }

    /// Ends a frame whose body has been written: puts the checksum in its place and commits.
    ///
    /// - Parameters:
    ///   - head: As given to ``append(_:byteCount:to:)``.
    ///   - byteCount: As given to it.
    ///   - body: What it returned.
    ///   - output: Where the frame is.
    static func finish(
        _ head: FrameHead,
        byteCount: Int,
        body: UnsafeMutableRawPointer,
        in output: inout LinkBuffer
    ) {
        if head.hasChecksum, head.transport == .ttHeaderFramed {
            let prefix = WireFormat.headerPrefixByteCount + headerBlockByteCount(head)
            let payload = body - 16 - head.method.count
            let sum = CRC32C.checksum(
                UnsafeRawBufferPointer(start: payload, count: byteCount - prefix)
            )
            CRC32C.write(sum, to: payload - prefix + checksumOffset)
        }
        output.commit(byteCount)
    }

    /// Where the digits of the checksum lie: it is the first string pair, behind protocol id,
    /// transforms, block type, pair count, key and value length.
    private static let checksumOffset = WireFormat.headerPrefixByteCount + 2 + 3 + 8 + 2

    private static func writeHeader(
        _ head: FrameHead,
        _ byteCount: Int,
        _ blockByteCount: Int,
        _ writer: inout ByteWriter
    ) {
        writer.write(UInt32(truncatingIfNeeded: byteCount - 4))
        writer.write(WireFormat.headerMagic)
        writer.write(head.flags)
        writer.write(head.sequenceID)
        writer.write(UInt16(truncatingIfNeeded: blockByteCount / 4))
        let blockEnd = writer.position + blockByteCount
        // Protocol id 0 and no transforms, whatever the payload is.
        writer.write(UInt16(0))
        let stringCount = Int(head.template.stringCount) + head.dynamicStringCount
        if stringCount > 0 {
            writer.write(WireFormat.InfoBlock.strings)
            writer.write(UInt16(truncatingIfNeeded: stringCount))
            if head.hasChecksum { writer.write(checksumPair) }
            writer.write(head.template.strings)
            for (key, value) in head.strings {
                writer.write(HeaderTemplate.text(key))
                writer.write(HeaderTemplate.text(value))
            }
        }
        let integerCount = head.integerCount
        if integerCount > 0 {
            writer.write(WireFormat.InfoBlock.integers)
            writer.write(integerCount)
            writer.write(head.template.integers)
            writer.write(head.caller)
            if let timeout = head.timeoutMilliseconds {
                writer.write(WireFormat.IntegerKey.timeout)
                writer.write(UInt16(decimalDigitCount(timeout)))
                writer.writeDecimal(timeout, digitCount: decimalDigitCount(timeout))
            }
        }
        while writer.position < blockEnd { writer.write(WireFormat.InfoBlock.padding) }
    }

    /// The checksum before it is known.
    private static let checksumPair =
        HeaderTemplate.text(WireFormat.StringKey.checksum) + HeaderTemplate.text("00000000")

    /// The size of the header block, padded to a multiple of 4; 0 on Framed.
    private static func headerBlockByteCount(_ head: FrameHead) -> Int {
        guard head.transport == .ttHeaderFramed else { return 0 }
        var count = 2
        if head.template.stringCount > 0 || head.dynamicStringCount > 0 {
            count += 3 + head.template.strings.count
            if head.hasChecksum { count += checksumPair.count }
            for (key, value) in head.strings {
                count +=
                    4 + min(key.utf8.count, Int(UInt16.max))
                    + min(value.utf8.count, Int(UInt16.max))
            }
        }
        if head.integerCount > 0 {
            count += 3 + head.template.integers.count + head.caller.count
            if let timeout = head.timeoutMilliseconds { count += 4 + decimalDigitCount(timeout) }
        }
        return (count + 3) & ~3
    }

    private static func decimalDigitCount(_ value: Int) -> Int {
        var count = 1
        var rest = value / 10
        while rest > 0 {
            count += 1
            rest /= 10
        }
        return count
    }
}

/// Writes forward through memory whose size was computed before.
private struct ByteWriter {
    private(set) var position: UnsafeMutableRawPointer

    init(_ reservation: UnsafeMutableRawBufferPointer) {
        guard let base = reservation.baseAddress else {
            preconditionFailure("a frame is never empty")
        }
        position = base
    }

    mutating func write<T: FixedWidthInteger>(_ value: T) {
        position.storeBytes(of: value.bigEndian, as: T.self)
        position += MemoryLayout<T>.size
    }

    mutating func write(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { source in
            guard let base = source.baseAddress else { return }
            position.copyMemory(from: base, byteCount: source.count)
        }
        position += bytes.count
    }

    mutating func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { source in
            guard let base = source.baseAddress else { return }
            position.copyMemory(from: base, byteCount: source.count)
        }
        position += bytes.count
    }

    mutating func writeDecimal(_ value: Int, digitCount: Int) {
        var rest = value
        for index in (0..<digitCount).reversed() {
            position.storeBytes(
                of: UInt8(ascii: "0") + UInt8(rest % 10),
                toByteOffset: index,
                as: UInt8.self
            )
            rest /= 10
        }
        position += digitCount
    }
}
