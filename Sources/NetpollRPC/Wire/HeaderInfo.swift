internal import NetpollCore

/// What a frame's TTHeader says, checked once; text is made only of what is asked for.
struct HeaderInfo: Sendable {
    var flags: UInt16 = 0
    var sequenceID: Int32 = 0
    /// Protocol id and transforms.
    private var preambleByteCount = 0
    /// The info blocks, without what comes before them.
    private(set) var blocks = BufferSlice()
    /// Whether there are pairs that are not the protocol's own.
    private(set) var hasMetadata = false
    /// The service that a request asks for (`isn`), not empty.
    private(set) var serviceName: String?
    /// The caller's timeout in milliseconds; `nil` when absent, not a number or not positive.
    private(set) var timeoutMilliseconds: Int?
    /// Whether the caller says which service it is.
    private var hasCaller = false
    /// Whether the peer will not use the connection any more (`crrst`).
    private(set) var isConnectionReset = false
    /// What the sender says its payload sums up to (`crc32c`).
    private(set) var checksum = Checksum.absent

    enum Checksum: Sendable, Hashable {
        case absent
        case value(UInt32)
        /// Not eight lower-case digits, so nothing it could be equal to.
        case malformed
    }

    /// An empty header, as Framed messages have.
    init() {}

    /// Reads the header block: protocol id, transforms and info blocks.
    ///
    /// `block` is the frame's header block; the fixed fields before it are the other arguments.
    init(flags: UInt16, sequenceID: Int32, block: BufferSlice, limits: WireLimits) throws(WireError)
    {
        self.flags = flags
        self.sequenceID = sequenceID
        preambleByteCount = try block.withUnsafeBytes { bytes throws(WireError) in
            try Self.skipPreamble(bytes)
        }
        blocks = block.slice(preambleByteCount..<block.count)
        try scan(pairLimit: limits.headerPairCount)
    }

    /// The same for a message with other fixed fields and an equal block.
    func repeated(flags: UInt16, sequenceID: Int32, block: BufferSlice) -> HeaderInfo {
        var info = self
        info.flags = flags
        info.sequenceID = sequenceID
        info.blocks = block.slice(preambleByteCount..<block.count)
        return info
    }

    /// The same without the memory it was read from: only good for ``repeated(flags:sequenceID:block:)``.
    var withoutBlocks: HeaderInfo {
        var info = self
        info.blocks = BufferSlice()
        return info
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

    private mutating func scan(pairLimit: Int) throws(WireError) {
        let slice = blocks
        try slice.withUnsafeBytes { bytes throws(WireError) in
            var pairs = HeaderPairs(bytes)
            var count = 0
            while let pair = try pairs.next() {
                count += 1
                guard count <= pairLimit else {
                    throw WireError(.tooLarge, "a header has more than \(pairLimit) pairs")
                }
                note(pair)
            }
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
        guard hasCaller else { return nil }
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
