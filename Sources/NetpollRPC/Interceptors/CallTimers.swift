internal import Metrics
internal import NetpollCore

/// The timers of one histogram, by what tells calls apart.
///
/// Any thread. A timer is made at the first call of its kind and kept; the number of methods that
/// are told apart is bounded, and with it the number of timers, because status codes and error
/// types are few.
final class CallTimers: Sendable {
    private struct Key: Hashable {
        let method: String
        let outcome: CallOutcome
    }

    private struct State {
        var methods: Set<String> = []
        var timers: [Key: Metrics.Timer] = [:]
    }

    private let label: String
    private let dimensions: [(String, String)]
    private let methodLimit: Int
    private let factory: (any MetricsFactory)?
    private let state = Locked(State())

    /// - Parameters:
    ///   - label: The histogram's name.
    ///   - dimensions: What all its timers have in common.
    ///   - methodLimit: How many methods are told apart; the rest share one name.
    ///   - factory: Makes the timers; by default the factory of the process at the time.
    init(
        label: String,
        dimensions: [(String, String)],
        methodLimit: Int,
        factory: (any MetricsFactory)?
    ) {
        self.label = label
        self.dimensions = dimensions
        self.methodLimit = methodLimit
        self.factory = factory
    }

    func record(_ duration: Duration, method: String, _ outcome: CallOutcome) {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (key, known) = state.withLock { find(&$0, method, outcome) }
        let timer = known ?? keep(makeTimer(key), key)
        timer.recordNanoseconds(overflow ? .max : whole &+ attoseconds / 1_000_000_000)
    }

    private func find(_ state: inout State, _ name: String, _ outcome: CallOutcome)
        -> (Key, Metrics.Timer?)
    {
        var method = name
        if !state.methods.contains(name) {
            if state.methods.count < methodLimit {
                state.methods.insert(name)
            } else {
                method = SemanticConventions.otherMethod
            }
        }
        let key = Key(method: method, outcome: outcome)
        return (key, state.timers[key])
    }

    private func makeTimer(_ key: Key) -> Metrics.Timer {
        var all = dimensions
        all.append((SemanticConventions.system, SemanticConventions.systemName))
        all.append((SemanticConventions.method, key.method))
        all.append((SemanticConventions.statusCode, key.outcome.statusCode))
        if let type = key.outcome.errorType { all.append((SemanticConventions.errorType, type)) }
        return Metrics.Timer(
            label: label,
            dimensions: all,
            preferredDisplayUnit: .seconds,
            factory: factory ?? MetricsSystem.factory
        )
    }

    /// Keeps a new timer, unless another thread was faster.
    private func keep(_ timer: Metrics.Timer, _ key: Key) -> Metrics.Timer {
        state.withLock { state in
            if let first = state.timers[key] { return first }
            state.timers[key] = timer
            return timer
        }
    }
}
