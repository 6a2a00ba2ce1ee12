internal import NetpollCore

extension RPCClient {
    /// The persistent name by which a server knows that a request is a retry; as in Kitex.
    private static let retryKey = "RetryReq"

    /// Makes a call as often as its policy says.
    func perform(_ plan: CallPlan, _ request: BufferSlice) async throws(RPCError) -> Reply {
        guard let policy = plan.options.retryPolicy ?? options.retryPolicy, policy.attempts > 1,
            !(policy.stopsChain && Self.servesRetry)
        else { return try await exchange(plan, request) }
        retryTokens.withLock { $0.earn() }
        var plan = plan
        if case .balanced = route { plan.used = UsedEndpoints() }
        if policy.hedgingDelay != nil { return try await hedge(plan, request, policy) }
        var attempt = 0
        while true {
            let error: RPCError
            do throws(RPCError) {
                return try await exchange(numbered(plan, attempt), request)
            } catch let failure {
                error = failure
            }
            attempt += 1
            guard attempt < policy.attempts, policy.isRetryable(error),
                retryTokens.withLock({ $0.spend() })
            else { throw error }
            let delay = policy.backOff.delay(after: attempt, random: .random(in: 0..<1))
            guard try await pause(for: delay, plan) else { throw error }
        }
    }

    private static var servesRetry: Bool {
        RPCContext.current?.persistentMetadata[retryKey] != nil
    }

    private func numbered(_ plan: CallPlan, _ attempt: Int) -> CallPlan {
        guard attempt > 0 else { return plan }
        var plan = plan
        plan.options.persistentMetadata[Self.retryKey] = "\(attempt)"
        return plan
    }

    private func hedge(
        _ plan: CallPlan,
        _ request: BufferSlice,
        _ policy: RetryPolicy
    ) async throws(RPCError) -> Reply {
        let infos = plan.options.replyInfo.map { info in
            (0..<policy.attempts).map { _ in ReplyInfo(attemptOf: info) }
        }
        let call = HedgedCall(
            policy,
            on: group.preferred(),
            mayRetry: { self.retryTokens.withLock { $0.spend() } },
            mayHedge: { self.retryTokens.withLock { $0.spendOnHedge() } },
            send: { attempt in
                var numbered = self.numbered(plan, attempt)
                numbered.options.replyInfo = infos?[attempt]
                do throws(RPCError) {
                    return .success(try await self.exchange(numbered, request))
                } catch {
                    return .failure(error)
                }
            }
        )
        let (attempt, outcome): (Int, HedgedCall.Outcome)
        do throws(NetpollError) {
            (attempt, outcome) = try await call.run()
        } catch {
            let code: RPCError.Code = error.code == .cancelled ? .cancelled : .unavailable
            throw RPCError(code, "\(plan.method.fullName): \(error.message)", cause: error)
        }
        if let infos { plan.options.replyInfo?.take(infos[attempt]) }
        return try outcome.get()
    }

    /// Waits between attempts; false, at once, when the deadline leaves no time for another.
    func pause(for delay: Duration, _ plan: CallPlan) async throws(RPCError) -> Bool {
        let end = group.deadline(after: delay)
        guard end < plan.deadline else { return false }
        do {
            try await group.preferred().sleep(until: end)
        } catch {
            throw RPCError(
                .cancelled,
                "\(plan.method.fullName): the calling task was cancelled between attempts",
                cause: error
            )
        }
        return true
    }
}
