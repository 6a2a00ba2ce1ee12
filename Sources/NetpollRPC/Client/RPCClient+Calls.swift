internal import NetpollCore
public import NetpollProtobuf

/// What is settled about a call before it is sent.
struct CallPlan: Sendable {
    let method: MethodDescriptor
    let deadline: Deadline
    /// How long the caller wanted to wait, for messages.
    let allowed: Duration
    var options: CallOptions
    /// Where attempts of the call went, if there may be several.
    var visited: VisitedEndpoints?
}

/// The endpoints that the attempts of one call went to.
///
/// Any thread.
final class VisitedEndpoints: Sendable {
    private let state = Locked<[Int]>([])

    var ids: [Int] { state.withLock { $0 } }

    func insert(_ id: Int) { state.withLock { $0.append(id) } }
}

extension RPCClient {
    /// Calls a method and waits for its reply.
    ///
    /// Generated clients call this.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - request: The request message.
    ///   - timeout: How long to wait, resolving and connecting included; by default
    ///     `options.timeout`, else the client's. Zero or less fails at once.
    ///   - options: Metadata and more.
    /// - Returns: The reply message.
    /// - Throws: ``RPCError`` when the call failed, ``BusinessError`` when the application said no,
    ///   or what an interceptor throws.
    public func call<Request: Message, Response: Message>(
        _ method: MethodDescriptor,
        _ request: Request,
        timeout: Duration? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> Response {
        guard gate.enter() else {
            throw RPCError(.unavailable, "\(method.fullName): the client is closed", retry: .never)
        }
        defer { gate.leave() }
        let plan = try makePlan(method, timeout, options)
        if interceptors.isEmpty {
            return try Self.decode(try await perform(plan, request), method)
        }
        let call = ClientCall(
            method: method,
            request: request,
            deadline: plan.deadline,
            options: plan.options
        )
        let reply: ClientReply<Response> = try await intercept(call, plan.allowed, 0)
        return reply.message
    }

    /// Runs the interceptors from `index` on, and the call inside them.
    private func intercept<Request: Message, Response: Message>(
        _ call: ClientCall<Request>,
        _ allowed: Duration,
        _ index: Int
    ) async throws -> ClientReply<Response> {
        guard index < interceptors.count else {
            let plan = CallPlan(
                method: call.method,
                deadline: call.deadline,
                allowed: allowed,
                options: call.options
            )
            let reply = try await perform(plan, call.request)
            return ClientReply(
                message: try Self.decode(reply, call.method),
                metadata: reply.header.replyMetadata
            )
        }
        return try await interceptors[index].intercept(call) { call in
            try await self.intercept(call, allowed, index + 1)
        }
    }

    /// Settles the deadline and the metadata, which depend on the handler that makes the call.
    private func makePlan(
        _ method: MethodDescriptor,
        _ timeout: Duration?,
        _ options: CallOptions
    ) throws -> CallPlan {
        let now = group.now()
        let isTimed = timeout ?? options.timeout
        let allowed =
            isTimed ?? options.deadline?.timeRemaining(from: now) ?? self.options.timeout
        guard allowed > .zero else {
            throw RPCError(.deadlineExceeded, "\(method.fullName): the timeout is \(allowed)")
        }
        var deadline = now.advanced(by: allowed)
        if let wanted = options.deadline { deadline = min(deadline, wanted) }
        guard let context = RPCContext.current else {
            guard deadline > now else {
                throw RPCError(.deadlineExceeded, "\(method.fullName): the deadline has passed")
            }
            return CallPlan(method: method, deadline: deadline, allowed: allowed, options: options)
        }
        deadline = min(deadline, context.deadline)
        guard deadline > now else {
            let message = "\(method.fullName): the deadline of the calling handler has passed"
            throw RPCError(.deadlineExceeded, message)
        }
        var options = options
        options.persistentMetadata = context.persistentMetadata.merging(options.persistentMetadata)
        let left = min(allowed, deadline.timeRemaining(from: now))
        return CallPlan(method: method, deadline: deadline, allowed: left, options: options)
    }

    static func decode<Response: Message>(_ reply: Reply, _ method: MethodDescriptor) throws
        -> Response
    {
        guard reply.message.type == .reply || reply.message.type == .stream else {
            throw RPCError(.protocolViolation, "\(method.fullName): the reply is a request")
        }
        guard reply.message.method == method.name else {
            throw RPCError(
                .protocolViolation,
                "\(method.fullName): the reply is to \(reply.message.method)"
            )
        }
        if let error = BusinessError(reply.header) { throw error }
        do {
            return try reply.message.body.withUnsafeBytes { try Response(serializedBytes: $0) }
        } catch {
            throw RPCError(
                .protocolViolation,
                "\(method.fullName): the reply cannot be decoded",
                cause: error
            )
        }
    }
}

extension Metadata {
    /// These values and those of another, which win.
    func merging(_ other: Metadata) -> Metadata {
        if isEmpty { return other }
        var merged = self
        for (key, value) in other.values { merged[key] = value }
        return merged
    }
}
