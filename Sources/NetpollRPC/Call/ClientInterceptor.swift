public import NetpollCore
public import NetpollProtobuf

/// What a client interceptor may see and change of a call before it is sent.
public struct ClientCall<Request: Message>: Sendable {
    /// The method that is called.
    public let method: MethodDescriptor
    /// The request message.
    public var request: Request
    /// When the caller gives up.
    ///
    /// May be brought forward; a later time than the caller's has no effect.
    public var deadline: Deadline
    /// Metadata and more.
    public var options: CallOptions
    /// The loops of the client that makes the call.
    var group: EventLoopGroup?

    /// Creates a call for the test of an interceptor.
    public init(
        method: MethodDescriptor,
        request: Request,
        deadline: Deadline,
        options: CallOptions
    ) {
        self.method = method
        self.request = request
        self.deadline = deadline
        self.options = options
    }
}

extension ClientCall {
    /// Runs what an interceptor has to wait for, but not beyond the call's deadline.
    ///
    /// `body` runs in a task of its own, which has the caller's priority and task-local values. It
    /// is cancelled when the deadline has passed or the caller is cancelled, and nobody waits for it
    /// then. The call of a test, which no client makes, sets it no deadline.
    ///
    /// - Throws: ``RPCError`` with code `deadlineExceeded` or `cancelled`, or what `body` throws.
    public func beforeDeadline<R: Sendable>(
        _ body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        guard let group else { return try await body() }
        let waiter = Waiter<Result<R, any Error>>()
        let task = Task {
            do {
                let result = try await body()
                waiter.finish(.success(.success(result)))
            } catch {
                waiter.finish(.success(.failure(error)))
            }
        }
        let outcome: Result<R, any Error>
        do throws(NetpollError) {
            outcome = try await waiter.wait(
                until: deadline,
                on: group.preferred(),
                late: .failure(NetpollError(.timedOut, "an interceptor of the call")),
                begin: {},
                onCancel: {
                    waiter.finish(.failure(NetpollError(.cancelled, "an interceptor of the call")))
                }
            )
        } catch {
            task.cancel()
            switch error.code {
            case .timedOut:
                let message = "\(method.fullName): the deadline passed in an interceptor"
                throw RPCError(.deadlineExceeded, message)
            case .cancelled:
                let message = "\(method.fullName): the calling task was cancelled in an interceptor"
                throw RPCError(.cancelled, message)
            default:
                let message = "\(method.fullName): the loops have ended"
                throw RPCError(.unavailable, message, cause: error)
            }
        }
        return try outcome.get()
    }

    /// The time of the client's loops.
    var now: Deadline { group?.now() ?? .now() }
}

/// What came back for a call.
public struct ClientReply<Response: Message>: Sendable {
    /// The reply message.
    public var message: Response
    /// Metadata that the server sent with it.
    public var metadata: Metadata

    /// Creates a reply.
    public init(message: Response, metadata: Metadata = Metadata()) {
        self.message = message
        self.metadata = metadata
    }
}

/// Runs around every call of a client: once for each call, retries included.
///
/// The first interceptor of a client is the outermost. Any thread, many calls at a time. What an
/// interceptor itself waits for, it waits for with ``ClientCall/beforeDeadline(_:)``.
///
/// In a module without the upcoming feature `NonisolatedNonsendingByDefault` the type of `next` is
/// written `nonisolated(nonsending) (ClientCall<Request>) async throws -> ClientReply<Response>`.
public protocol ClientInterceptor: Sendable {
    /// Calls `next` with the call, changed or not, and returns what it returns, changed or not; or
    /// answers by itself.
    ///
    /// - Throws: What the caller shall see: ``RPCError``, ``BusinessError``, or an error of its own.
    func intercept<Request: Message, Response: Message>(
        _ call: ClientCall<Request>,
        next: (ClientCall<Request>) async throws -> ClientReply<Response>
    ) async throws -> ClientReply<Response>
}
