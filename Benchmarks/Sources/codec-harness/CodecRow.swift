/// One measurement of encoding or decoding one message.
public struct CodecRow: Sendable {
    /// Which message it was.
    public let message: String
    /// `encode` or `decode`.
    public let operation: String
    /// What it took on average.
    public let nanoseconds: Double
    /// How often it took memory from the system on average.
    public let allocations: Double

    /// What ``init(line:)`` reads.
    public var line: String { "\(message) \(operation) \(nanoseconds) \(allocations)" }

    /// Creates a row.
    public init(message: String, operation: String, nanoseconds: Double, allocations: Double) {
        self.message = message
        self.operation = operation
        self.nanoseconds = nanoseconds
        self.allocations = allocations
    }

    /// Reads a row as ``line`` writes it.
    public init?(line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard words.count == 4, let nanoseconds = Double(words[2]),
            let allocations = Double(words[3])
        else { return nil }
        self.init(
            message: String(words[0]),
            operation: String(words[1]),
            nanoseconds: nanoseconds,
            allocations: allocations
        )
    }
}
