/// Small named values that travel with a call, beside its message.
///
/// Keys are case-sensitive, keys and values are UTF-8 text of at most 65,535 bytes (the key with
/// its wire prefix), and an empty key or value is not sent. Kitex calls this metainfo.
public struct Metadata: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    private(set) var values: [String: String]

    /// Creates empty metadata.
    public init() { values = [:] }

    /// Creates metadata from names and values; the last of a repeated name counts.
    public init(dictionaryLiteral elements: (String, String)...) {
        values = Dictionary(elements) { _, last in last }
    }

    /// The value of a key.
    public subscript(key: String) -> String? {
        get { values[key] }
        set { values[key] = newValue }
    }

    /// Whether there are no values.
    public var isEmpty: Bool { values.isEmpty }

    /// All keys and values, in the order of the keys.
    public var pairs: [(key: String, value: String)] { values.sorted { $0.key < $1.key } }

    /// The pairs as they stand in a header, each key behind a prefix.
    func headerPairs(prefix: String) -> [(key: String, value: String)] {
        guard !values.isEmpty else { return [] }
        return pairs.filter { !$0.key.isEmpty && !$0.value.isEmpty }.map {
            (prefix + $0.key, $0.value)
        }
    }
}
