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
    /// The block that says `facts`; a copy, so that no memory of the stream is kept.
    private var block: [UInt8] = []
    private var facts = HeaderFacts.none

    /// Longer ones are read again each time.
    private static let byteCountLimit = 512

    /// Reads a header block, or recognises it; as ``HeaderInfo/init(flags:sequenceID:block:limits:)``.
    mutating func header(
        flags: UInt16,
        sequenceID: Int32,
        block: BufferSlice,
        limits: WireLimits
    ) throws(WireError) -> HeaderInfo {
        if isKnown(block) {
            return HeaderInfo(flags: flags, sequenceID: sequenceID, block: block, facts: facts)
        }
        let new = try HeaderInfo(
            flags: flags,
            sequenceID: sequenceID,
            block: block,
            limits: limits
        )
        // One with a checksum does not come again.
        if block.count <= Self.byteCountLimit, new.checksum == .absent {
            facts = new.facts
            self.block.removeAll(keepingCapacity: true)
            block.withUnsafeBytes { self.block.append(contentsOf: $0) }
        }
        return new
    }

    private func isKnown(_ block: BufferSlice) -> Bool {
        guard block.count == self.block.count else { return false }
        return block.withUnsafeBytes { new in
            self.block.withUnsafeBytes { old in
                guard let new = new.baseAddress, let old = old.baseAddress else { return false }
                return memcmp(new, old, self.block.count) == 0
            }
        }
    }
}
