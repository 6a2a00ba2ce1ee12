internal import NetpollCore

/// Cuts a client's stream into replies; of one that exceeds a limit only the head is read, and the
/// rest is skipped as it comes, so that other calls on the connection go on.
///
/// Pure. Of what is skipped no byte is kept.
struct ReplyDecoder: Sendable {
    /// What could be made of the bytes so far.
    enum Result: Sendable {
        case frame(Frame)
        /// Told once, before the rest of the frame has come.
        case oversized(OversizedReply)
        /// The buffer must hold so many bytes before another try is useful.
        case incomplete(Int)
    }

    private let frames: FrameDecoder
    private var headers = HeaderMemo()
    /// How much of an oversized frame is still to come.
    private var skippedByteCount = 0

    init(_ frames: FrameDecoder) { self.frames = frames }

    /// Most bytes of a frame that is skipped.
    ///
    /// What a server sends by default, or four times what this client takes: to wait for more would
    /// hold up the other calls for too long.
    static func skipLimit(_ limits: WireLimits) -> Int {
        max(WireLimits().frameByteCount, 4 * min(limits.frameByteCount, Int(UInt32.max)))
    }

    /// Takes the next frame, or what there is of one that is too large, off the front of `input`.
    ///
    /// - Parameter input: The stream.
    /// - Returns: The frame, or how many bytes it takes to find out more.
    /// - Throws: ``WireError`` when the stream cannot be read any further; that is so for an oversized
    ///   frame which does not tell whose reply it is.
    mutating func next(_ input: inout LinkBuffer) throws(WireError) -> Result {
        if skippedByteCount > 0 {
            skippedByteCount -= input.skip(skippedByteCount)
            if skippedByteCount > 0 { return .incomplete(1) }
        }
        let byteCount = input.byteCount
        do throws(WireError) {
            return switch try frames.next(&input, &headers) {
            case .frame(let frame): .frame(frame)
            case .incomplete(let wanted): .incomplete(wanted)
            }
        } catch {
            guard error.reason == .tooLarge else { throw error }
            // Of a frame that was too large to be taken, all that has come is still there.
            if input.byteCount == byteCount { return try oversized(error, &input) }
            guard let sequenceID = error.sequenceID, sequenceID != 0 else { throw error }
            return .oversized(
                OversizedReply(sequenceID: sequenceID, isSkipped: true, error: error)
            )
        }
    }

    private mutating func oversized(_ error: WireError, _ input: inout LinkBuffer)
        throws(WireError) -> Result
    {
        guard let length = input.peekInteger(as: UInt32.self),
            let magic = input.peekInteger(at: 4, as: UInt16.self)
        else { throw error }
        let total = 4 + Int(length)
        let offset: Int
        if magic == WireFormat.headerMagic {
            let prefix = WireFormat.headerPrefixByteCount
            guard let words = input.peekInteger(at: 12, as: UInt16.self) else {
                return .incomplete(prefix)
            }
            guard words > 0, total >= prefix + 4 * Int(words) else { throw error }
            offset = 8
        } else {
            guard let methodByteCount = input.peekInteger(at: 8, as: UInt32.self) else {
                return .incomplete(12)
            }
            offset = 12 + Int(methodByteCount)
        }
        // What is kept until the id is there must be within the limit on what is kept at all.
        guard offset + 4 <= min(total, frames.limits.frameByteCount) else { throw error }
        guard let sequenceID = input.peekInteger(at: offset, as: Int32.self) else {
            return .incomplete(offset + 4)
        }
        // A control frame is no call's reply, and what it says of the connection must be known.
        guard sequenceID != 0 else { throw error }
        skippedByteCount = total - input.skip(total)
        let isSkipped = total <= Self.skipLimit(frames.limits)
        return .oversized(
            OversizedReply(sequenceID: sequenceID, isSkipped: isSkipped, error: error)
        )
    }
}

/// A reply that exceeds a limit of this side.
struct OversizedReply: Sendable, Hashable {
    let sequenceID: Int32
    /// Whether the stream is worth reading on; else the rest of the frame is too long to wait for.
    let isSkipped: Bool
    /// Names the size and the limit.
    let error: WireError
}
