internal import NetpollCore

/// How one try at one endpoint ended.
private enum Outcome {
    case reply(Reply)
    /// The call may have run, or nobody else would take it.
    case failed(RPCError, CallResult)
    /// The call did not run; `stays` if the same endpoint may well take it now.
    case notRun(RPCError, CallResult, stays: Bool)

    var result: CallResult {
        switch self {
        case .reply: .success
        case .failed(_, let result), .notRun(_, let result, _): result
        }
    }
}

extension RPCClient {
    private static let singleMoveLimit = 3

    /// Sends a request and waits; on to another endpoint, or connection, as long as it did not run.
    func exchange(_ plan: CallPlan, _ request: BufferSlice) async throws(RPCError) -> Reply {
        switch route {
        case .single(let endpoint): try await exchange(plan, request, at: endpoint)
        case .balanced(let directory): try await exchange(plan, request, among: directory)
        }
    }

    private func exchange(
        _ plan: CallPlan,
        _ request: BufferSlice,
        at endpoint: ClientEndpoint
    ) async throws(RPCError) -> Reply {
        var moves = 0
        var rounds = 0
        while true {
            switch await send(plan, request, to: endpoint) {
            case .reply(let reply): return reply
            case .failed(let error, _): throw error
            case .notRun(let error, _, let stays):
                moves += 1
                if stays, moves < Self.singleMoveLimit { continue }
                moves = 0
                rounds += 1
                try await waitForReady(plan, rounds, error)
            }
        }
    }

    private func exchange(
        _ plan: CallPlan,
        _ request: BufferSlice,
        among directory: EndpointDirectory
    ) async throws(RPCError) -> Reply {
        let method = EndpointDirectory.MethodKey(plan.method)
        var rounds = 0
        while true {
            var tried: [Int] = []
            var moves = 0
            var last: RPCError?
            while moves < max(1, options.moveLimit) {
                let key = plan.options.loadBalancingKey
                let picked = directory.pick(
                    method,
                    key: key,
                    excluding: tried,
                    avoiding: plan.used?.ids ?? []
                )
                guard let picked else {
                    // All were tried, or there is no list yet.
                    if !tried.isEmpty { break }
                    last = await waitForEndpoints(directory, plan)
                    if let last, last.code != .unavailable { throw last }
                    if last != nil { break }
                    continue
                }
                plan.used?.add(picked.id)
                let outcome = await send(plan, request, to: picked.member)
                directory.ended(picked, method, outcome.result)
                switch outcome {
                case .reply(let reply): return reply
                case .failed(let error, _): throw error
                case .notRun(let error, _, let stays):
                    last = error
                    moves += 1
                    if !stays { tried.append(picked.id) }
                }
            }
            rounds += 1
            let none = RPCError(.unavailable, "\(plan.method.fullName): there is no endpoint")
            try await waitForReady(plan, rounds, last ?? none)
        }
    }

    private func waitForEndpoints(_ directory: EndpointDirectory, _ plan: CallPlan) async
        -> RPCError?
    {
        do {
            try await directory.waitForEndpoints(until: plan.deadline)
            return nil
        } catch let error as NetpollError {
            return acquisitionError(error, plan, "no endpoint")
        } catch {
            return RPCError(.unavailable, "\(plan.method.fullName): no endpoint", cause: error)
        }
    }

    /// After a round in which nobody took the call: waits for the next if the caller wants that,
    /// else fails.
    private func waitForReady(_ plan: CallPlan, _ rounds: Int, _ error: RPCError)
        async throws(RPCError)
    {
        guard plan.options.waitsForReady, error.code == .unavailable else { throw error }
        let delay = options.dialBackOff.delay(after: rounds, random: .random(in: 0..<1))
        if try await pause(for: delay, plan) { return }
        let left = plan.deadline.timeRemaining(from: group.now()) - .nanoseconds(1)
        _ = try await pause(for: left, plan)
        throw RPCError(
            .deadlineExceeded,
            "\(plan.method.fullName): no server was ready in time (timeout \(plan.allowed))",
            cause: error
        )
    }
}

// MARK: - One try

extension RPCClient {
    private func send(
        _ plan: CallPlan,
        _ request: BufferSlice,
        to endpoint: ClientEndpoint
    ) async -> Outcome {
        plan.options.replyInfo?.forgetReply()
        let session: ClientSession
        do throws(NetpollError) {
            session =
                if let ready = endpoint.readySession { ready } else {
                    try await endpoint.acquire(until: plan.deadline)
                }
        } catch {
            let failure = acquisitionError(error, plan, "no connection")
            guard failure.code == .unavailable, !Task.isCancelled else {
                return .failed(failure, .ignored)
            }
            return .notRun(failure, .broken, stays: false)
        }
        let now = group.now()
        guard now < plan.deadline else {
            // The server would work for nobody; and timers are not as fine as deadlines.
            endpoint.release(session)
            let late = NetpollError(.timedOut, "the call's deadline passed before it was sent")
            return .failed(acquisitionError(late, plan, "no connection"), .ignored)
        }
        plan.options.replyInfo?.noteAttempt()
        let outcome = await session.call(
            makeHead(plan, now),
            request,
            deadline: plan.deadline,
            limits: options.limits
        )
        endpoint.release(session)
        switch outcome {
        case .success(let reply):
            plan.options.replyInfo?.note(reply.header.replyMetadata, from: endpoint.address)
            return reply.message.type == .exception
                ? failure(reply, plan, endpoint) : .reply(reply)
        case .failure(.notSent):
            let message =
                "\(plan.method.fullName): connections to \(endpoint.address) close before a call is sent"
            return .notRun(RPCError(.unavailable, message), .ignored, stays: true)
        case .failure(.failed(let error)):
            return .failed(describe(error, plan), result(of: error))
        }
    }

    private func failure(_ reply: Reply, _ plan: CallPlan, _ endpoint: ClientEndpoint) -> Outcome {
        if group.now() >= plan.deadline {
            // The server gave up at the caller's deadline and its word came before our timer.
            let error = RPCError(.deadlineExceeded, "no reply from \(endpoint.address) in time")
            return .failed(describe(error, plan), .timeout)
        }
        let error = RPCError(WireException(parsing: reply.message.body), reply.header)
        if error.retry == .elsewhere { return .notRun(error, .ignored, stays: false) }
        let counts = options.circuitBreaker?.codes.contains(error.code) ?? false
        return .failed(error, counts ? .failure : .success)
    }

    private func result(of error: RPCError) -> CallResult {
        switch error.code {
        case .deadlineExceeded: .timeout
        case .unavailable, .protocolViolation: .broken
        default: .ignored
        }
    }

    private func describe(_ error: RPCError, _ plan: CallPlan) -> RPCError {
        let limit = error.code == .deadlineExceeded ? " (timeout \(plan.allowed))" : ""
        return RPCError(
            error.code,
            "\(plan.method.fullName): \(error.message)\(limit)",
            retry: error.retry,
            cause: error.cause
        )
    }

    private func acquisitionError(_ error: NetpollError, _ plan: CallPlan, _ lack: String)
        -> RPCError
    {
        let message = "\(plan.method.fullName): \(lack)"
        switch error.code {
        case .cancelled: return RPCError(.cancelled, message, cause: error)
        case .timedOut where group.now() >= plan.deadline:
            return RPCError(
                .deadlineExceeded,
                "\(message) in time (timeout \(plan.allowed))",
                cause: error
            )
        case .limitExceeded: return RPCError(.resourceExhausted, message, cause: error)
        default: return RPCError(.unavailable, message, cause: error)
        }
    }

    private func makeHead(_ plan: CallPlan, _ now: Deadline) -> FrameHead {
        let remaining = max(1, plan.deadline.timeRemaining(from: now).wholeMilliseconds)
        var strings = plan.options.metadata.headerPairs(
            prefix: WireFormat.StringKey.transientPrefix
        )
        strings += plan.options.persistentMetadata.headerPairs(
            prefix: WireFormat.StringKey.persistentPrefix
        )
        return FrameHead(
            transport: .ttHeaderFramed,
            flags: options.connections.isPooled ? 0 : WireFormat.outOfOrderFlag,
            type: .call,
            sequenceID: Self.sequenceIDs.next(),
            method: plan.method.wireName,
            template: plan.method.requestTemplate,
            caller: caller,
            strings: strings,
            timeoutMilliseconds: remaining,
            hasChecksum: options.checksum.isSent
        )
    }
}
