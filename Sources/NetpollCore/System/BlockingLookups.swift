/// Look-ups that block, made on threads of their own.
///
/// One key is looked up once for all who ask meanwhile, and at most ``threadLimit`` at a time, so a
/// dead name server cannot collect threads; up to ``queueLimit`` more keys wait their turn. Any
/// thread.
final class BlockingLookups<Key, Value>: Sendable
where Key: Hashable & Sendable & CustomStringConvertible, Value: Sendable {
    typealias Outcome = Result<Value, NetpollError>
    typealias Completion = @Sendable (Outcome) -> Void

    private enum Admission {
        case start, wait, refuse
    }

    private struct State {
        var threadCount = 0
        /// Who waits for each key that is being looked up, or will be.
        var callers: [Key: [Completion]] = [:]
        /// Keys that wait for a thread.
        var waiting: [Key] = []

        /// The callers to tell, and the key to look up next; without one the thread ends.
        mutating func finish(_ key: Key) -> (callers: [Completion], next: Key?) {
            let told = callers.removeValue(forKey: key) ?? []
            guard !waiting.isEmpty else {
                threadCount -= 1
                return (told, nil)
            }
            return (told, waiting.removeFirst())
        }

        /// The callers to tell; with no thread left nobody would take what waits.
        mutating func threadCouldNotStart(_ key: Key) -> [Completion] {
            threadCount -= 1
            var told = callers.removeValue(forKey: key) ?? []
            guard threadCount == 0 else { return told }
            for name in waiting { told += callers.removeValue(forKey: name) ?? [] }
            waiting = []
            return told
        }
    }

    private let state = Locked(State())
    private let threadLimit: Int
    private let queueLimit: Int
    private let lookUp: @Sendable (Key) -> Outcome

    /// - Parameters:
    ///   - threadLimit: Most threads at a time.
    ///   - queueLimit: Most keys that wait for a thread; one more fails with `limitExceeded`.
    ///   - lookUp: Looks one key up and may block.
    init(threadLimit: Int, queueLimit: Int, lookUp: @escaping @Sendable (Key) -> Outcome) {
        self.threadLimit = threadLimit
        self.queueLimit = queueLimit
        self.lookUp = lookUp
    }

    /// Looks a key up; `completion` is called once, on this thread or on another.
    func find(_ key: Key, _ completion: @escaping Completion) {
        switch state.withLock({ add(key, completion, &$0) }) {
        case .wait: break
        case .start: startThread(key)
        case .refuse:
            let message = "resolve \(key): \(queueLimit) names wait to be looked up"
            completion(.failure(NetpollError(.limitExceeded, message)))
        }
    }

    private func startThread(_ key: Key) {
        do throws(NetpollError) {
            try SystemThread.start { self.work(key) }
        } catch {
            for caller in state.withLock({ $0.threadCouldNotStart(key) }) {
                caller(.failure(error))
            }
        }
    }

    private func work(_ first: Key) {
        var next: Key? = first
        while let key = next {
            let outcome = lookUp(key)
            let (callers, waiting) = state.withLock { $0.finish(key) }
            for caller in callers { caller(outcome) }
            next = waiting
        }
    }

    private func add(_ key: Key, _ caller: @escaping Completion, _ state: inout State)
        -> Admission
    {
        if state.callers[key] != nil {
            state.callers[key]?.append(caller)
            return .wait
        }
        if state.threadCount < threadLimit {
            state.threadCount += 1
            state.callers[key] = [caller]
            return .start
        }
        guard state.waiting.count < queueLimit else { return .refuse }
        state.callers[key] = [caller]
        state.waiting.append(key)
        return .wait
    }
}
