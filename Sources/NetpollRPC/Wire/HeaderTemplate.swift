/// The pairs of a TTHeader that are the same for every message of a kind, in wire form.
///
/// One array holds both kinds of pairs, because a template is copied with every call.
struct HeaderTemplate: Sendable, Hashable {
    let stringCount: UInt16
    let integerCount: UInt16
    private let pairs: [UInt8]
    private let stringByteCount: Int

    /// The string pairs in wire form.
    var strings: ArraySlice<UInt8> { pairs[..<stringByteCount] }

    /// The integer-keyed pairs in wire form.
    var integers: ArraySlice<UInt8> { pairs[stringByteCount...] }

    init(strings: [(String, String)] = [], integers: [(UInt16, String)] = []) {
        var pairs: [UInt8] = []
        for (key, value) in strings {
            pairs += Self.text(key)
            pairs += Self.text(value)
        }
        stringByteCount = pairs.count
        for (key, value) in integers {
            pairs += Self.bigEndian(key)
            pairs += Self.text(value)
        }
        self.pairs = pairs
        stringCount = UInt16(clamping: strings.count)
        integerCount = UInt16(clamping: integers.count)
    }

    /// The pairs that say who calls: always two, because a Go server logs what it finds there.
    static func caller(_ service: String) -> [UInt8] {
        bigEndian(WireFormat.IntegerKey.fromService) + text(service)
            + bigEndian(WireFormat.IntegerKey.fromMethod) + text("")
    }

    static let callerPairCount: UInt16 = 2

    /// A text with its 16-bit length, cut at the 65,535 bytes that the length can say.
    static func text(_ text: String) -> [UInt8] {
        let bytes = text.utf8.prefix(Int(UInt16.max))
        return bigEndian(UInt16(bytes.count)) + bytes
    }

    private static func bigEndian(_ value: UInt16) -> [UInt8] {
        [UInt8(value >> 8), UInt8(value & 0xFF)]
    }
}
