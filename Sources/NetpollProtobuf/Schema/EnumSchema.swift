/// What a field's schema says of its enum.
public struct EnumSchema: Sendable {
    /// Whether a closed enum knows a number; `nil` for an open one, which takes any.
    let isKnown: (@Sendable (Int32) -> Bool)?
    let names: @Sendable () -> EnumNames
    /// Whether the only value is JSON's `null`.
    let isNull: Bool

    init<E: Enum>(open type: E.Type) {
        isKnown = nil
        names = { E.protoNames }
        isNull = type == Google_Protobuf_NullValue.self
    }

    init<E: Enum>(closed type: E.Type) {
        isKnown = { E(rawValue: Int($0)) != nil }
        names = { E.protoNames }
        isNull = false
    }
}

/// The names of an enum's values as the `.proto` file has them.
public struct EnumNames: Sendable, ExpressibleByDictionaryLiteral {
    private let numbers: [String: Int32]
    private let names: [Int32: String]

    /// Creates the names from pairs of number and name; of several names of one number the first is
    /// the one that is written.
    public init(dictionaryLiteral elements: (Int32, String)...) {
        numbers = Dictionary(elements.map { ($1, $0) }) { first, _ in first }
        names = Dictionary(elements) { first, _ in first }
    }

    /// The number of a name.
    func number(_ name: String) -> Int32? { numbers[name] }

    /// The first name of a number.
    func name(_ number: Int32) -> String? { names[number] }
}
