/// The pairs of a TTHeader that are the same for every message of a kind, in wire form.
struct HeaderTemplate: Sendable, Hashable {
    let stringCount: UInt16
    let strings: [UInt8]
    let integerCount: UInt16
    let integers: [UInt8]

    init(strings: [(String, String)] = [], integers: [(UInt16, String)] = []) {
        var stringBytes: [UInt8] = []
        for (key, value) in strings {
            stringBytes += Self.text(key)
            stringBytes += Self.text(value)
        }
        var integerBytes: [UInt8] = []
        for (key, value) in integers {
            integerBytes += Self.bigEndian(key)
            integerBytes += Self.text(value)
        }
        self.strings = stringBytes
        stringCount = UInt16(clamping: strings.count)
        self.integers = integerBytes
        integerCount = UInt16(clamping: integers.count)
    }

    /// The pairs that say who calls: always two, because a Go server logs what it finds there.
    static func caller(_ service: String) -> [UInt8] {
        HeaderTemplate(integers: [
            (WireFormat.IntegerKey.fromService, service), (WireFormat.IntegerKey.fromMethod, ""),
        ]).integers
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
