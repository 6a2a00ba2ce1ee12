public import NetpollCore
public import NetpollProtobuf

/// What is settled about a call before it is sent.
struct CallPlan: Sendable {
    let method: MethodDescriptor
    private(set) var deadline: Deadline
    /// How long the caller wanted to wait, for messages.
    private(set) var allowed: Duration
    var options: CallOptions
    /// The endpoints that got attempts of the call, if there may be more than one.
    var used: UsedEndpoints?

    init(method: MethodDescriptor, deadline: Deadline, allowed: Duration, options: CallOptions) {
        self.method = method
        self.deadline = deadline
        self.allowed = allowed
        self.options = options
    }

    /// Makes the deadline an earlier one; a later one changes nothing.
    mutating func bringForward(to earlier: Deadline, now: Deadline) {
        guard earlier < deadline else { return }
        deadline = earlier
        allowed = min(allowed, earlier.timeRemaining(from: now))
    }
}

/// Where the attempts of one call went, so that the next goes elsewhere.
///
/// Any thread: hedges run at the same time.
final class UsedEndpoints: Sendable {
    private let state = Locked<[Int]>([])

    var ids: [Int] { state.withLock { $0 } }

    func add(_ id: Int) { state.withLock { $0.append(id) } }
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
    @inlinable
    public func call<Request: Message, Response: Message>(
        _ method: MethodDescriptor,
        _ request: Request,
        timeout: Duration? = nil,
        options: CallOptions = CallOptions()
    ) async throws -> Response {
        guard !hasInterceptors else {
            return try await intercept(method, request, timeout, options)
        }
        let body = try Self.encode(request, method)
        return try Self.decode(try await call(method, encoded: body, timeout, options), method)
    }

    @usableFromInline var hasInterceptors: Bool { !interceptors.isEmpty }

    /// Makes a call without interceptors; the messages are in wire form.
    @usableFromInline
    func call(
        _ method: MethodDescriptor,
        encoded body: BufferSlice,
        _ timeout: Duration?,
        _ options: CallOptions
    ) async throws -> BufferSlice {
        try enter(method)
        defer { gate.leave() }
        let plan = try makePlan(method, timeout, options)
        return try Self.body(of: try await perform(plan, body), method)
    }

    /// Makes a call through the interceptors.
    @usableFromInline
    func intercept<Request: Message, Response: Message>(
        _ method: MethodDescriptor,
        _ request: Request,
        _ timeout: Duration?,
        _ options: CallOptions
    ) async throws -> Response {
        try enter(method)
        defer { gate.leave() }
        let plan = try makePlan(method, timeout, options)
        var call = ClientCall(
            method: method,
            request: request,
            deadline: plan.deadline,
            options: plan.options
        )
        call.group = group
        let reply: ClientReply<Response> = try await intercept(call, plan, 0)
        return reply.message
    }

    private func enter(_ method: MethodDescriptor) throws {
        guard gate.enter() else {
            throw RPCError(.unavailable, "\(method.fullName): the client is closed", retry: .never)
        }
    }

    /// Runs the interceptors from `index` on, and the call inside them.
    private func intercept<Request: Message, Response: Message>(
        _ call: ClientCall<Request>,
        _ plan: CallPlan,
        _ index: Int
    ) async throws -> ClientReply<Response> {
        guard index < interceptors.count else {
            var plan = plan
            plan.options = call.options
            plan.bringForward(to: call.deadline, now: group.now())
            let reply = try await perform(plan, try Self.encode(call.request, call.method))
            return ClientReply(
                message: try Self.decode(try Self.body(of: reply, call.method), call.method),
                metadata: reply.header.replyMetadata
            )
        }
        return try await interceptors[index].intercept(call) { call in
            try await self.intercept(call, plan, index + 1)
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

    /// The message of a reply, in wire form.
    ///
    /// - Throws: ``BusinessError`` when the application said no, ``RPCError`` when it is no reply to
    ///   the method.
    private static func body(of reply: Reply, _ method: MethodDescriptor) throws -> BufferSlice {
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
        return reply.message.body
    }

    /// Once for all attempts of the call.
    @inlinable
    static func encode<Request: Message>(_ request: Request, _ method: MethodDescriptor) throws
        -> BufferSlice
    {
        do throws(ProtobufError) {
            return try request.withSerialization { serialization in
                BufferSlice(byteCount: serialization.byteCount) { serialization.write(to: $0) }
            }
        } catch {
            throw unencodable(error, method)
        }
    }

    @usableFromInline
    static func unencodable(_ error: ProtobufError, _ method: MethodDescriptor) -> RPCError {
        let message = "\(method.fullName): the request cannot be encoded"
        return RPCError(.invalidArgument, message, cause: error)
    }

    @inlinable
    static func decode<Response: Message>(_ body: BufferSlice, _ method: MethodDescriptor) throws
        -> Response
    {
        do throws(ProtobufError) {
            return try body.withUnsafeBytes { (bytes) throws(ProtobufError) in
                try Response(serializedBytes: bytes)
            }
        } catch {
            throw undecodable(error, method)
        }
    }

    @usableFromInline
    static func undecodable(_ error: ProtobufError, _ method: MethodDescriptor) -> RPCError {
        let message = "\(method.fullName): the reply cannot be decoded"
        return RPCError(.protocolViolation, message, cause: error)
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
