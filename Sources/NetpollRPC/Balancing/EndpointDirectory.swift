internal import NetpollCore

/// The endpoints that a resolver has found, and the choice among them.
///
/// Any thread. The decisions are ``BalancerState``'s.
final class EndpointDirectory: Sendable {
    typealias Picked = BalancerState<ClientEndpoint>.Pick
    typealias MethodKey = BalancerState<ClientEndpoint>.MethodKey

    private struct State {
        var balancer: BalancerState<ClientEndpoint>
        var task: Task<Void, Never>?
        var hasStarted = false
        var isClosed = false
        /// Calls that wait for the first list.
        var waiting: [Waiter<Void>] = []
        /// Why there is no list yet; calls meanwhile get it at once.
        var failure: (any Error)?
        var wantsRefresh = false
        var refresh: Waiter<Void>?
    }

    private let state: Locked<State>
    private let resolver: any Resolver
    private let options: RPCClientOptions
    private let group: EventLoopGroup
    private let loop: EventLoop

    init(_ resolver: any Resolver, options: RPCClientOptions, group: EventLoopGroup) {
        self.resolver = resolver
        self.options = options
        self.group = group
        loop = group.next()
        let balancer = BalancerState<ClientEndpoint>(
            options.loadBalancer,
            breakers: options.circuitBreaker,
            dialBackOff: options.dialBackOff,
            endpointLimit: max(1, options.endpointLimit),
            seed: .random(in: .min ... .max)
        )
        state = Locked(State(balancer: balancer))
    }

    var statistics: [EndpointStatistics] { state.withLock { $0.balancer.statistics } }

    /// Chooses an endpoint for a call, rather one that earlier attempts have not used; `nil` when all
    /// were tried.
    func pick(_ method: MethodKey, key: String?, excluding tried: [Int], avoiding used: [Int])
        -> Picked?
    {
        let now = loop.now()
        let (picked, probes) = state.withLock { state in
            let picked = state.balancer.pick(
                method,
                key: key,
                excluding: tried,
                avoiding: used,
                now: now
            )
            return (picked, state.balancer.probes(now: now))
        }
        for member in probes { member.probe() }
        return picked
    }

    func ended(_ picked: Picked, _ method: MethodKey, _ result: CallResult) {
        let now = loop.now()
        state.withLock { $0.balancer.ended(picked, method, result, now: now) }
    }

    private func dialed(_ id: Int, _ failure: NetpollError?) {
        let now = loop.now()
        let refresh = state.withLock { state -> Waiter<Void>? in
            state.balancer.dialed(id, failure, now: now)
            guard failure != nil else { return nil }
            state.wantsRefresh = true
            return state.refresh
        }
        refresh?.finish(.success(()))
    }

    /// Ends the resolver's task and closes all endpoints once their calls have ended.
    func close() {
        let (task, members, waiting) = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return (state.task.take(), state.balancer.members, state.waiting)
        }
        task?.cancel()
        let error = NetpollError(.shutdown, "the client is closed")
        for waiter in waiting { waiter.finish(.failure(error)) }
        for member in members { member.close() }
    }
}

// MARK: - Resolution

extension EndpointDirectory {
    private enum Readiness {
        case ready
        case wait
        case failed(any Error)
    }

    /// Returns once there is a list; the first caller starts the resolver.
    func waitForEndpoints(until deadline: Deadline) async throws {
        start()
        let waiter = Waiter<Void>()
        switch state.withLock({ readiness(&$0, waiter) }) {
        case .ready: return
        case .failed(let error): throw error
        case .wait: break
        }
        let late = NetpollError(.timedOut, "the resolver found no endpoint in time")
        defer { state.withLock { $0.waiting.removeAll { $0 === waiter } } }
        try await waiter.wait(
            until: deadline,
            on: loop,
            late: .failure(late),
            begin: {},
            onCancel: {
                waiter.finish(.failure(NetpollError(.cancelled, "the calling task was cancelled")))
            }
        )
    }

    private func readiness(_ state: inout State, _ waiter: Waiter<Void>) -> Readiness {
        if state.isClosed {
            return .failed(NetpollError(.shutdown, "the client is closed"))
        }
        if !state.balancer.isEmpty { return .ready }
        if let failure = state.failure { return .failed(failure) }
        guard state.waiting.count < options.resolutionWaiterLimit else {
            let message = "\(state.waiting.count) calls wait for the resolver"
            return .failed(NetpollError(.limitExceeded, message))
        }
        state.waiting.append(waiter)
        return .wait
    }

    private func start() {
        let isFirst = state.withLock { state in
            defer { state.hasStarted = true }
            return !state.hasStarted && !state.isClosed
        }
        guard isFirst else { return }
        let updates = EndpointUpdates(self, group: group)
        // The call that comes first must not lend its deadline and metadata to the resolver.
        let task = ContextHolder.$current.withValue(nil) {
            Task(executorPreference: loop) { [resolver] in await Self.run(resolver, updates, self) }
        }
        let isLate = state.withLock { state in
            if !state.isClosed { state.task = task }
            return state.isClosed
        }
        if isLate { task.cancel() }
    }

    private static let restartDelay: Duration = .seconds(1)

    private static func run(
        _ resolver: any Resolver,
        _ updates: EndpointUpdates,
        _ directory: EndpointDirectory
    ) async {
        while true {
            do {
                return try await resolver.run(updates)
            } catch {
                directory.report(error)
            }
            do {
                try await directory.waitForRefresh(after: restartDelay, atLeast: restartDelay)
            } catch {
                // The client was closed, or its loops have ended without that.
                return
            }
        }
    }

    func publish(_ endpoints: [Endpoint]) {
        let (waiting, retired) = state.withLock { state in
            guard !state.isClosed else { return ([Waiter<Void>](), [ClientEndpoint]()) }
            let retired = state.balancer.update(endpoints) { endpoint, id in
                ClientEndpoint(endpoint.address, options: options, group: group) {
                    [weak self] in self?.dialed(id, $0)
                }
            }
            guard !state.balancer.isEmpty else { return ([], retired) }
            state.failure = nil
            defer { state.waiting = [] }
            return (state.waiting, retired)
        }
        for waiter in waiting { waiter.finish(.success(())) }
        for member in retired { member.close() }
        if endpoints.isEmpty {
            report(NetpollError(.invalidAddress, "the resolver's list is empty"))
        }
    }

    func report(_ error: any Error) {
        let waiting = state.withLock { state -> [Waiter<Void>] in
            guard state.balancer.isEmpty else { return [] }
            state.failure = error
            defer { state.waiting = [] }
            return state.waiting
        }
        let failure =
            error as? NetpollError ?? NetpollError(.invalidAddress, "the resolver failed: \(error)")
        for waiter in waiting { waiter.finish(.failure(failure)) }
    }

    /// See ``EndpointUpdates/waitForRefresh(after:atLeast:)``.
    func waitForRefresh(after interval: Duration, atLeast minimum: Duration) async throws {
        let start = loop.now()
        try await loop.sleep(until: start.advanced(by: minimum))
        let waiter = Waiter<Void>()
        let isWanted = state.withLock { state in
            defer { state.wantsRefresh = false }
            state.refresh = waiter
            return state.wantsRefresh
        }
        if isWanted { return }
        do throws(NetpollError) {
            let end = start.advanced(by: interval)
            try await waiter.wait(
                until: end,
                on: loop,
                late: .success(()),
                begin: {},
                onCancel: {
                    waiter.finish(.failure(NetpollError(.cancelled, "wait for a refresh")))
                }
            )
        } catch {
            throw CancellationError()
        }
        state.withLock { $0.wantsRefresh = false }
    }
}
