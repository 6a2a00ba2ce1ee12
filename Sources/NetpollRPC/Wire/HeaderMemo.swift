internal import NetpollCore

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// Remembers the last header block of a connection.
///
/// Most messages of a peer carry the same block, byte for byte, and what it says was checked then.
struct HeaderMemo: Sendable {
    /// The block that `header` was read from; a copy, so that no memory of the stream is kept.
    private var block: [UInt8] = []
    private var header = HeaderInfo()

    /// Longer ones are read again each time.
    private static let byteCountLimit = 512

    /// Reads a header block, or recognises it; as ``HeaderInfo/init(flags:sequenceID:block:limits:)``.
    mutating func header(
        flags: UInt16,
        sequenceID: Int32,
        block: BufferSlice,
        limits: WireLimits
    ) throws(WireError) -> HeaderInfo {
        if let known = header(in: block) {
            return known.repeated(flags: flags, sequenceID: sequenceID, block: block)
        }
        let new = try HeaderInfo(
            flags: flags,
            sequenceID: sequenceID,
            block: block,
            limits: limits
        )
        // One with a checksum does not come again.
        if block.count <= Self.byteCountLimit, new.checksum == .absent {
            header = new.withoutBlocks
            self.block.removeAll(keepingCapacity: true)
            block.withUnsafeBytes { self.block.append(contentsOf: $0) }
        }
        return new
    }

    private func header(in block: BufferSlice) -> HeaderInfo? {
        guard block.count == self.block.count else { return nil }
        let isSame = block.withUnsafeBytes { new in
            self.block.withUnsafeBytes { old in
                guard let new = new.baseAddress, let old = old.baseAddress else { return false }
                return memcmp(new, old, self.block.count) == 0
            }
        }
        return isSame ? header : nil
    }
}
