import Metrics
import Synchronization

/// Keeps counters and timers in memory and prints them: a metrics backend in eighty lines.
package final class PrintedMetrics: MetricsFactory {
    /// What one metric has seen.
    final class Series: CounterHandler, TimerHandler, RecorderHandler {
        private struct State {
            var count = 0
            var sum: Int64 = 0
            var largest: Int64 = 0
        }
        private let state = Mutex(State())
        private let isTimer: Bool

        init(isTimer: Bool = false) { self.isTimer = isTimer }

        func increment(by amount: Int64) { record(amount) }

        func recordNanoseconds(_ duration: Int64) { record(duration) }

        func record(_ value: Double) { record(Int64(value)) }

        func record(_ value: Int64) {
            state.withLock { state in
                state.count += 1
                state.sum += value
                state.largest = max(state.largest, value)
            }
        }

        func reset() { state.withLock { $0 = State() } }

        var text: String {
            let state = state.withLock { $0 }
            guard isTimer else { return "\(state.sum)" }
            let mean = Self.milliseconds(state.sum / Int64(max(1, state.count)))
            let largest = Self.milliseconds(state.largest)
            return "count=\(state.count) mean=\(mean)ms max=\(largest)ms"
        }

        private static func milliseconds(_ nanoseconds: Int64) -> Double {
            Double(nanoseconds / 10_000) / 100
        }
    }

    private let series = Mutex<[String: Series]>([:])

    package init() {}

    /// A line for each metric, in the order of their names.
    package var lines: [String] {
        series.withLock { series in
            series.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.text)" }
        }
    }

    private func find(_ label: String, _ dimensions: [(String, String)], isTimer: Bool = false)
        -> Series
    {
        let text = dimensions.map { "\($0.0)=\($0.1)" }.joined(separator: ", ")
        let name = text.isEmpty ? label : "\(label){\(text)}"
        return series.withLock { series in
            if let known = series[name] { return known }
            let new = Series(isTimer: isTimer)
            series[name] = new
            return new
        }
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        find(label, dimensions)
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool)
        -> any RecorderHandler
    {
        find(label, dimensions)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        find(label, dimensions, isTimer: true)
    }

    // Series stay until the program ends.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}
}
