/// What the scanner does with a field that has a certain tag, number and wire type together.
struct ScanStep {
    /// What follows a tag and needs no closer look than this.
    enum Payload: UInt8 {
        /// It does need a closer look.
        case other
        case varint, fixed32, fixed64, delimited
        /// Bytes of any kind of a singular field.
        case value
        /// A message in a list, or an entry of a map.
        case element
        case packedVarint, packedFixed32, packedFixed64
    }

    let payload: Payload
    /// As ``FieldEntry/exclusive``, with ``notExclusive`` for none.
    let exclusive: UInt8

    /// A position that no field has: shifting by it gives no bit.
    private static let notExclusive: UInt8 = 64
    private static let none = ScanStep(payload: .other, exclusive: notExclusive)

    /// The steps by tag, for the tags of numbers up to the highest one below the limit.
    static func make(_ entries: [FieldEntry], numberLimit: UInt32) -> [ScanStep] {
        let numbers = entries.map(\.number).filter { $0 < numberLimit }
        guard let highest = numbers.max() else { return [] }
        var steps = [ScanStep](repeating: none, count: (Int(highest) + 1) * 8)
        for entry in entries where entry.number < numberLimit {
            guard entry.exclusive < Int16(notExclusive) else { continue }
            let exclusive = entry.exclusive < 0 ? notExclusive : UInt8(entry.exclusive)
            let tag = Int(entry.number) * 8
            let (single, packed) = payloads(entry)
            steps[tag + Int(entry.wireType.rawValue)] =
                ScanStep(payload: single, exclusive: exclusive)
            if entry.mayBePacked {
                steps[tag + Int(WireType.lengthDelimited.rawValue)] =
                    ScanStep(payload: packed, exclusive: exclusive)
            }
        }
        return steps
    }

    private static func payloads(_ entry: FieldEntry) -> (single: Payload, packed: Payload) {
        switch (entry.wireType, entry.content) {
        case (_, .closedEnum), (_, .closedEnumEntry): (.other, .other)
        case (.varint, _): (.varint, .packedVarint)
        case (.fixed32, _): (.fixed32, .packedFixed32)
        case (.fixed64, _): (.fixed64, .packedFixed64)
        case (.lengthDelimited, .message), (.lengthDelimited, .mapEntry):
            (entry.isRepeated ? .element : .value, .other)
        case (.lengthDelimited, _): (entry.isRepeated ? .delimited : .value, .other)
        case (.startGroup, _), (.endGroup, _): (.other, .other)
        }
    }
}
