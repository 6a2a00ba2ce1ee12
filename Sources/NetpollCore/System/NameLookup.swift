/// Resolves host names on threads of its own, because getaddrinfo(3) blocks.
///
/// Numeric hosts and Unix paths are resolved at once. One name is looked up once for all who ask
/// meanwhile, and at most ``threadLimit`` at a time, so a dead name server cannot collect threads;
/// up to ``queueLimit`` more names wait their turn. Any thread.
final class NameLookup: Sendable {
    typealias Outcome = Result<[RawAddress], NetpollError>
    typealias Completion = @Sendable (Outcome) -> Void

    fileprivate struct State {
        var threadCount = 0
        /// Who waits for each name that is being looked up, or will be.
        var callers: [SocketAddress: [Completion]] = [:]
        /// Names that wait for a thread.
        var waiting: [SocketAddress] = []
    }

    static let threadLimit = 16
    static let queueLimit = 1024

    private let state = Locked(State())
    private let lookUp: @Sendable (SocketAddress) -> Outcome

    /// Creates a resolver.
    ///
    /// - Parameter lookUp: Resolves one name and may block; the system's resolver by default.
    init(
        lookUp: @escaping @Sendable (SocketAddress) -> Outcome = { address in
            Result { () throws(NetpollError) in try RawAddress.resolve(address, passive: false) }
        }
    ) {
        self.lookUp = lookUp
    }

    /// Resolves an address; `completion` is called once, on this thread or on another.
    func resolve(_ address: SocketAddress, _ completion: @escaping Completion) {
        // A name that is not numeric fails this first try without asking the network.
        if let numeric = try? RawAddress.resolve(address, passive: false, numericOnly: true) {
            return completion(.success(numeric))
        }
        switch state.withLock({ $0.add(address, completion) }) {
        case .wait: break
        case .start: startThread(address)
        case .refuse:
            let message = "resolve \(address): \(Self.queueLimit) names wait to be looked up"
            completion(.failure(NetpollError(.limitExceeded, message)))
        }
    }

    private func startThread(_ address: SocketAddress) {
        do throws(NetpollError) {
            try SystemThread.start { self.work(address) }
        } catch {
            for caller in state.withLock({ $0.threadCouldNotStart(address) }) {
                caller(.failure(error))
            }
        }
    }

    private func work(_ first: SocketAddress) {
        var next: SocketAddress? = first
        while let address = next {
            let outcome = lookUp(address)
            let (callers, waiting) = state.withLock { $0.finish(address) }
            for caller in callers { caller(outcome) }
            next = waiting
        }
    }
}

extension NameLookup.State {
    fileprivate enum Admission {
        case start, wait, refuse
    }

    fileprivate mutating func add(
        _ address: SocketAddress,
        _ caller: @escaping NameLookup.Completion
    ) -> Admission {
        if callers[address] != nil {
            callers[address]?.append(caller)
            return .wait
        }
        if threadCount < NameLookup.threadLimit {
            threadCount += 1
            callers[address] = [caller]
            return .start
        }
        guard waiting.count < NameLookup.queueLimit else { return .refuse }
        callers[address] = [caller]
        waiting.append(address)
        return .wait
    }

    /// The callers to tell, and the name to look up next; without one the thread ends.
    fileprivate mutating func finish(_ address: SocketAddress) -> (
        callers: [NameLookup.Completion], next: SocketAddress?
    ) {
        let told = callers.removeValue(forKey: address) ?? []
        guard !waiting.isEmpty else {
            threadCount -= 1
            return (told, nil)
        }
        return (told, waiting.removeFirst())
    }

    /// The callers to tell; with no thread left nobody would take what waits.
    fileprivate mutating func threadCouldNotStart(_ address: SocketAddress)
        -> [NameLookup.Completion]
    {
        threadCount -= 1
        var told = callers.removeValue(forKey: address) ?? []
        guard threadCount == 0 else { return told }
        for name in waiting { told += callers.removeValue(forKey: name) ?? [] }
        waiting = []
        return told
    }
}
