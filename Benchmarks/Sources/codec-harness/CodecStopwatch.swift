import c_malloc_counter

/// Measures an operation: the best of many short rounds, because everything that disturbs a round
/// makes it slower.
public enum CodecStopwatch {
    private static let roundCount = 40
    private static let roundDuration = Duration.milliseconds(8)

    /// Measures an operation that `body` runs so many times.
    public static func measure(
        _ message: String,
        _ operation: String,
        _ body: (_ iterations: Int) -> Void
    ) -> CodecRow {
        let clock = ContinuousClock()
        var iterations = 1
        while clock.measure({ body(iterations) }) < roundDuration, iterations < 1 << 24 {
            iterations *= 2
        }
        let before = malloc_counter_read()
        body(iterations)
        let allocations = Double(malloc_counter_read() - before) / Double(iterations)
        let best = (0..<roundCount).map { _ in clock.measure { body(iterations) } }.min() ?? .zero
        let seconds = Double(best.components.attoseconds) * 1e-18 + Double(best.components.seconds)
        return CodecRow(
            message: message,
            operation: operation,
            nanoseconds: seconds * 1e9 / Double(iterations),
            allocations: allocations
        )
    }

    /// Keeps the optimizer from dropping a result.
    ///
    /// Not generic: looking up a type would take longer than what is measured.
    @inline(never) public static func use(_ value: Int) {}
}
