internal import NetpollCore

/// What a frame's TTHeader says, checked once; text is made only of what is asked for.
struct HeaderInfo: Sendable {
    let flags: UInt16
    let sequenceID: Int32
    /// The info blocks, without what comes before them.
    let blocks: BufferSlice
    /// What the blocks say.
    let facts: HeaderFacts

    /// An empty header, as Framed messages have.
    init() {
        flags = 0
        sequenceID = 0
        blocks = BufferSlice()
        facts = .none
    }

    /// Reads the header block: protocol id, transforms and info blocks.
    ///
    /// `block` is the frame's header block; the fixed fields before it are the other arguments.
    init(flags: UInt16, sequenceID: Int32, block: BufferSlice, limits: WireLimits) throws(WireError)
    {
        self.init(
            flags: flags,
            sequenceID: sequenceID,
            block: block,
            facts: try HeaderFacts(block, pairLimit: limits.headerPairCount)
        )
    }

    /// A header whose block says what is known.
    init(flags: UInt16, sequenceID: Int32, block: BufferSlice, facts: HeaderFacts) {
        self.flags = flags
        self.sequenceID = sequenceID
        self.facts = facts
        blocks = block.slice(facts.preambleByteCount..<block.count)
    }

    var hasMetadata: Bool { facts.hasMetadata }
    var serviceName: String? { facts.serviceName }
    var timeoutMilliseconds: Int? { facts.timeoutMilliseconds }
    var isConnectionReset: Bool { facts.isConnectionReset }
    var checksum: Checksum { facts.checksum }

    enum Checksum: Sendable, Hashable {
        case absent
        case value(UInt32)
        /// Not eight lower-case digits, so nothing it could be equal to.
        case malformed
    }
}

/// What a header block says; shared by all messages that have an equal one.
final class HeaderFacts: Sendable {
    /// Protocol id and transforms.
    let preambleByteCount: Int
    /// Whether there are pairs that are not the protocol's own.
    let hasMetadata: Bool
    /// The service that a request asks for (`isn`), not empty.
    let serviceName: String?
    /// The caller's timeout in milliseconds; `nil` when absent, not a number or not positive.
    let timeoutMilliseconds: Int?
    /// Whether the caller says which service it is.
    let hasCaller: Bool
    /// Whether the peer will not use the connection any more (`crrst`).
    let isConnectionReset: Bool
    /// What the sender says its payload sums up to (`crc32c`).
    let checksum: HeaderInfo.Checksum

    /// What an empty block says.
    static let none = HeaderFacts(preambleByteCount: 0, Notes())

    /// Reads a header block.
    convenience init(_ block: BufferSlice, pairLimit: Int) throws(WireError) {
        let (preambleByteCount, notes) = try block.withUnsafeBytes { bytes throws(WireError) in
            let start = try Self.skipPreamble(bytes)
            return (start, try Notes(UnsafeRawBufferPointer(rebasing: bytes[start...]), pairLimit))
        }
        self.init(preambleByteCount: preambleByteCount, notes)
    }

    private init(preambleByteCount: Int, _ notes: Notes) {
        self.preambleByteCount = preambleByteCount
        hasMetadata = notes.hasMetadata
        serviceName = notes.serviceName
        timeoutMilliseconds = notes.timeoutMilliseconds
        hasCaller = notes.hasCaller
        isConnectionReset = notes.isConnectionReset
        checksum = notes.checksum
    }

    private static func skipPreamble(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> Int {
        guard bytes.count >= 2 else { throw WireError(.badHeader, "the header block is empty") }
        switch bytes[0] {
        case 0x00, 0x03, 0x04, 0x10, 0x11: break
        default: throw WireError(.badHeader, "protocol id \(bytes[0]) is unknown")
        }
        // Transform ids are skipped: nothing on this wire is ever compressed.
        let start = 2 + Int(bytes[1])
        guard start <= bytes.count else {
            throw WireError(.badHeader, "the transforms are cut off")
        }
        return start
    }

    private struct Notes {
        var hasMetadata = false
        var serviceName: String?
        var timeoutMilliseconds: Int?
        var hasCaller = false
        var isConnectionReset = false
        var checksum = HeaderInfo.Checksum.absent

        init() {}

        init(_ blocks: UnsafeRawBufferPointer, _ pairLimit: Int) throws(WireError) {
            var pairs = HeaderPairs(blocks)
            var count = 0
            while let pair = try pairs.next() {
                count += 1
                guard count <= pairLimit else {
                    throw WireError(.tooLarge, "a header has more than \(pairLimit) pairs")
                }
                note(pair)
            }
        }

        private mutating func note(_ pair: HeaderPair) {
            switch pair {
            case .integer(WireFormat.IntegerKey.timeout, let value):
                timeoutMilliseconds = Int(String(decoding: value, as: UTF8.self)).flatMap {
                    $0 > 0 ? $0 : nil
                }
            case .integer(WireFormat.IntegerKey.fromService, let value):
                hasCaller = !value.isEmpty
            case .integer:
                break
            case .aclToken:
                hasMetadata = true
            case .string(let key, let value):
                if key.elementsEqual(WireFormat.StringKey.serviceName.utf8) {
                    serviceName = value.isEmpty ? nil : String(decoding: value, as: UTF8.self)
                } else if key.elementsEqual(WireFormat.StringKey.connectionReset.utf8) {
                    isConnectionReset = true
                } else if key.elementsEqual(WireFormat.StringKey.checksum.utf8) {
                    checksum = CRC32C.parse(value).map { .value($0) } ?? .malformed
                } else {
                    hasMetadata = true
                }
            }
        }
    }
}

extension HeaderInfo {
    /// All string pairs, the ACL token among them, in wire order; later ones win over earlier ones.
    var strings: [(key: String, value: String)] {
        collect { pair in
            switch pair {
            case .string(let key, let value):
                (String(decoding: key, as: UTF8.self), String(decoding: value, as: UTF8.self))
            case .aclToken(let value):
                (WireFormat.StringKey.aclToken, String(decoding: value, as: UTF8.self))
            case .integer: nil
            }
        }
    }

    /// All integer-keyed pairs in wire order.
    var integers: [(key: UInt16, value: String)] {
        collect { pair in
            guard case .integer(let key, let value) = pair else { return nil }
            return (key, String(decoding: value, as: UTF8.self))
        }
    }

    /// The service that the caller says it is, not empty.
    var callerService: String? {
        guard facts.hasCaller else { return nil }
        return integers.last { $0.key == WireFormat.IntegerKey.fromService }?.value
    }

    /// The value of a string key; the last one if it is repeated.
    func string(_ key: String) -> String? {
        hasMetadata ? strings.last { $0.key == key }?.value : nil
    }

    private func collect<T>(_ transform: (HeaderPair) -> T?) -> [T] {
        blocks.withUnsafeBytes { bytes in
            var pairs = HeaderPairs(bytes)
            var found: [T] = []
            // The blocks were checked when the header was made, so this walk cannot throw.
            while let pair = try? pairs.next() {
                if let value = transform(pair) { found.append(value) }
            }
            return found
        }
    }
}
