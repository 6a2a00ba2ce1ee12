internal import NetpollCore

/// Cuts frames from a stream and tells their kinds apart, message by message.
///
/// Pure.
struct FrameDecoder: Sendable {
    /// What could be made of the bytes so far.
    enum Result: Sendable {
        case frame(Frame)
        /// The buffer must hold so many bytes before another try is useful.
        case incomplete(Int)
    }

    let limits: WireLimits
    /// Whether a payload without a checksum is refused.
    var requiresChecksum = false

    /// Takes the next frame off the front of `input`, or leaves `input` as it is.
    ///
    /// Limits are checked as soon as the lengths are there, before their bytes are waited for.
    ///
    /// - Parameters:
    ///   - input: The stream.
    ///   - memo: What the connection remembers of earlier headers.
    /// - Returns: The frame, or how many bytes it takes to find out more.
    /// - Throws: ``WireError`` when the stream cannot be read any further.
    func next(_ input: inout LinkBuffer, _ memo: inout HeaderMemo) throws(WireError) -> Result {
        guard let length = input.peekInteger(as: UInt32.self),
            let magic = input.peekInteger(at: 4, as: UInt16.self)
        else { return .incomplete(WireFormat.headerPrefixByteCount) }
        let transport: Transport
        switch magic {
        case WireFormat.headerMagic: transport = .ttHeaderFramed
        case WireFormat.messageMagic: transport = .framed
        default: throw WireError(.badMagic, "the stream is neither TTHeader nor Framed")
        }
        let (total, overflow) = Int(length).addingReportingOverflow(4)
        guard !overflow, total <= limits.frameByteCount else {
            throw WireError(
                .tooLarge,
                "a frame of \(total) bytes exceeds the limit of \(limits.frameByteCount)"
            )
        }
        switch transport {
        case .framed:
            guard let payload = input.readSlice(total) else { return .incomplete(total) }
            let frame = Frame(transport: .framed, header: HeaderInfo(), payload: payload)
            try verify(frame)
            return .frame(frame)
        case .ttHeaderFramed:
            return try headerFrame(total, &input, &memo)
        }
    }

    private func headerFrame(
        _ total: Int,
        _ input: inout LinkBuffer,
        _ memo: inout HeaderMemo
    ) throws(WireError) -> Result {
        let prefix = WireFormat.headerPrefixByteCount
        guard let words = input.peekInteger(at: 12, as: UInt16.self) else {
            return .incomplete(prefix)
        }
        let headerByteCount = Int(words) * 4
        guard headerByteCount >= 4 else { throw WireError(.badHeader, "the header block is empty") }
        guard headerByteCount <= limits.headerByteCount else {
            throw WireError(
                .tooLarge,
                "a header of \(headerByteCount) bytes exceeds the limit of \(limits.headerByteCount)"
            )
        }
        guard total >= prefix + headerByteCount else {
            throw WireError(.badHeader, "the header is longer than its frame")
        }
        guard input.byteCount >= total else { return .incomplete(total) }
        guard let flags = input.peekInteger(at: 6, as: UInt16.self),
            let sequenceID = input.peekInteger(at: 8, as: Int32.self),
            let bytes = input.readSlice(total)
        else { return .incomplete(total) }
        let header = try memo.header(
            flags: flags,
            sequenceID: sequenceID,
            block: bytes.slice(prefix..<prefix + headerByteCount),
            limits: limits
        )
        let frame = Frame(
            transport: .ttHeaderFramed,
            header: header,
            payload: bytes.slice(prefix + headerByteCount..<total)
        )
        try verify(frame)
        return .frame(frame)
    }

    private func verify(_ frame: Frame) throws(WireError) {
        switch frame.header.checksum {
        case .absent:
            guard requiresChecksum, !frame.isControl else { return }
            throw WireError(.badChecksum, "a frame has no checksum, and one is required")
        case .malformed:
            throw WireError(.badChecksum, "a checksum is not eight lower-case hexadecimal digits")
        case .value(let expected):
            let actual = frame.payload.withUnsafeBytes { CRC32C.checksum($0) }
            guard actual == expected else {
                throw WireError(.badChecksum, "a payload does not have the checksum that was sent")
            }
        }
    }
}
