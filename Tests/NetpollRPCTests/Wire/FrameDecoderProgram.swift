import NetpollCore

@testable import NetpollRPC

/// What must hold of the frame decoder for any bytes whatever; seeded tests and the fuzzer share it.
///
/// Pure. The first byte of an input says how large the pieces are; the rest is what a peer sends.
enum FrameDecoderProgram {
    /// Decodes the same bytes whole and in pieces, and writes what was decoded again.
    ///
    /// - Returns: What is wrong, or `nil`.
    static func run(_ input: [UInt8]) -> String? {
        guard let first = input.first else { return nil }
        let bytes = Array(input.dropFirst())
        let whole = decode(bytes, pieceByteCount: max(1, bytes.count))
        let pieces = decode(bytes, pieceByteCount: 1 + Int(first) % 67, forgets: true)
        if whole.idles || pieces.idles { return "the decoder waits for bytes that it has" }
        if whole.end != pieces.end { return "\(whole.end) as a whole, \(pieces.end) in pieces" }
        if whole.frames.count != pieces.frames.count {
            return "\(whole.frames.count) frames as a whole, \(pieces.frames.count) in pieces"
        }
        for (one, other) in zip(whole.frames, pieces.frames) where !isEqual(one, other) {
            return "a frame differs when it comes in pieces"
        }
        for frame in whole.frames {
            if let complaint = look(at: frame) { return complaint }
        }
        return nil
    }

    // MARK: - Decoding

    private enum End: Hashable {
        /// So many bytes were left, which are no frame yet.
        case incomplete(left: Int)
        case broken(WireError)
    }

    private struct Outcome {
        var frames: [Frame] = []
        var end = End.incomplete(left: 0)
        /// The decoder asked for no more bytes than there were, and would be called for ever.
        var idles = false
    }

    /// - Parameters:
    ///   - bytes: The stream.
    ///   - pieceByteCount: How much of it comes at once.
    ///   - forgets: Whether each header is read as if it were the first.
    /// - Returns: The frames, and how the stream ended.
    private static func decode(
        _ bytes: [UInt8],
        pieceByteCount: Int,
        forgets: Bool = false
    ) -> Outcome {
        let decoder = FrameDecoder(limits: WireLimits())
        var headers = HeaderMemo()
        var outcome = Outcome()
        var input = LinkBuffer()
        var offset = 0
        do throws(WireError) {
            while true {
                if forgets { headers = HeaderMemo() }
                switch try decoder.next(&input, &headers) {
                case .frame(let frame): outcome.frames.append(frame)
                case .incomplete(let wanted):
                    if wanted <= input.byteCount { outcome.idles = true }
                    guard offset < bytes.count else {
                        outcome.end = .incomplete(left: input.byteCount)
                        return outcome
                    }
                    let end = min(bytes.count, offset + pieceByteCount)
                    // Blocks of its own for each piece, so that every field lies across some.
                    input.append(BufferSlice(copying: bytes[offset..<end]))
                    offset = end
                }
            }
        } catch {
            outcome.end = .broken(error)
        }
        return outcome
    }

    private static func isEqual(_ one: Frame, _ other: Frame) -> Bool {
        one.transport == other.transport && one.header.flags == other.header.flags
            && one.header.sequenceID == other.header.sequenceID
            && Array(one.header.blocks) == Array(other.header.blocks)
            && one.header.serviceName == other.header.serviceName
            && one.header.timeoutMilliseconds == other.header.timeoutMilliseconds
            && one.header.callerService == other.header.callerService
            && one.header.isConnectionReset == other.header.isConnectionReset
            && one.header.checksum == other.header.checksum
            && one.header.requestMetadata == other.header.requestMetadata
            && Array(one.payload) == Array(other.payload)
    }

    // MARK: - What frames say

    private static func look(at frame: Frame) -> String? {
        let metadata = frame.header.requestMetadata
        if metadata.transient[""] != nil || metadata.persistent[""] != nil {
            return "metadata without a name"
        }
        if let error = BusinessError(frame.header) {
            if error.status == 0 { return "a business error without a status" }
            if StringMapJSON.decode(StringMapJSON.encode(error.extra)) != error.extra {
                return "the extra of a business error changes"
            }
        }
        guard !frame.isControl, let message = try? WireMessage(parsing: frame.payload) else {
            return nil
        }
        let exception = WireException(parsing: message.body)
        if WireException(parsing: BufferSlice(copying: exception.bytes)) != exception {
            return "an exception changes"
        }
        return encodeAgain(frame, message)
    }

    /// What is decoded and written has the bytes that come out when that is done again.
    private static func encodeAgain(_ frame: Frame, _ message: WireMessage) -> String? {
        // A header may outgrow its limit because what is no UTF-8 is repaired.
        guard let first = encode(frame, message) else { return nil }
        let again = decode(first, pieceByteCount: first.count)
        guard again.frames.count == 1, again.end == .incomplete(left: 0) else {
            return "what was written does not decode: \(again.end)"
        }
        guard let copy = try? WireMessage(parsing: again.frames[0].payload) else {
            return "a message that was written does not decode"
        }
        if Array(copy.body) != Array(message.body) { return "a body changes" }
        if copy.method != message.method { return "a method changes" }
        let second = encode(again.frames[0], copy)
        return second == first ? nil : "the same frame is written in two ways"
    }

    private static func encode(_ frame: Frame, _ message: WireMessage) -> [UInt8]? {
        let head = FrameHead(
            transport: frame.transport,
            flags: frame.header.flags,
            type: message.type,
            sequenceID: message.sequenceID,
            method: Array(message.method.utf8),
            template: HeaderTemplate(integers: frame.header.integers.map { ($0.key, $0.value) }),
            strings: frame.header.strings.filter { $0.key != WireFormat.StringKey.checksum },
            hasChecksum: frame.header.checksum != .absent
        )
        let body = Array(message.body)
        let limits = WireLimits()
        guard
            let byteCount = try? FrameEncoder.byteCount(
                of: head,
                bodyByteCount: body.count,
                limits: limits
            )
        else { return nil }
        var output = LinkBuffer()
        let target = FrameEncoder.append(head, byteCount: byteCount, to: &output)
        UnsafeMutableRawBufferPointer(start: target, count: body.count).copyBytes(from: body)
        FrameEncoder.finish(head, byteCount: byteCount, body: target, in: &output)
        return output.readArray(byteCount)
    }
}
