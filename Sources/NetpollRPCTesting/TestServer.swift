public import NetpollCore
public import NetpollRPC
public import NetpollTesting

/// A server and a client of it in memory, on a clock that the test moves.
///
/// ```swift
/// @Test func greets() async throws {
///     try await withTestServer(of: Greeter()) { test in
///         let greeter = Demo_GreeterClient(test.client)
///         let reply = try await greeter.hello(.with { $0.name = "Ada" })
///         #expect(reply.text == "hello Ada")
///     }
/// }
/// ```
///
/// Frames, sessions, limits, metadata and errors are those of real connections; there is no socket.
/// No timeout passes unless ``advance(by:)`` lets it. Any thread.
public struct TestServer: Sendable {
    /// The clock that timeouts follow.
    public let clock: ManualClock
    /// The loops of both sides; handlers that wait for a time take it from here.
    public let group: EventLoopGroup
    /// The server.
    public let server: RPCServer
    /// A client of the server.
    public let client: RPCClient

    /// Starts a server and a client.
    ///
    /// End it with ``stop()``; ``withTestServer(of:clock:interceptors:serverOptions:clientOptions:_:)``
    /// does both.
    ///
    /// - Parameters:
    ///   - clock: The clock to follow; servers that call each other share one.
    ///   - interceptors: What runs around every handler.
    ///   - serverOptions: The server's bounds.
    ///   - clientOptions: The client's timeouts and limits.
    ///   - makeServices: What to serve; gets the loops for handlers that wait for a time.
    /// - Throws: `NetpollError` when loops cannot be started, `RPCError` when two services have the
    ///   same name.
    public init(
        clock: ManualClock = ManualClock(),
        interceptors: [any ServerInterceptor] = [],
        serverOptions: RPCServerOptions = RPCServerOptions(),
        clientOptions: RPCClientOptions = RPCClientOptions(),
        makeServices: (EventLoopGroup) -> [any RPCService]
    ) throws {
        self.clock = clock
        group = try EventLoopGroup(count: 2, options: clock.options)
        server = RPCServer(
            services: makeServices(group),
            interceptors: interceptors,
            options: serverOptions,
            group: group
        )
        client = try RPCClient(inProcess: server, options: clientOptions)
    }

    /// Creates another client of the server.
    ///
    /// - Parameters:
    ///   - interceptors: What runs around every call, the outermost first.
    ///   - options: The client's timeouts and limits.
    /// - Returns: The client.
    /// - Throws: `RPCError` when the server has been shut down.
    public func makeClient(
        interceptors: [any ClientInterceptor] = [],
        options: RPCClientOptions = RPCClientOptions()
    ) throws -> RPCClient {
        try RPCClient(inProcess: server, interceptors: interceptors, options: options)
    }

    /// Moves the clock and returns once every timeout that came due has had its effect on the
    /// loops: a handler whose deadline passed has been cancelled, one that waited has gone on.
    ///
    /// Handlers that were admitted before have run until they wait for something, so they begin at
    /// the earlier time. See `ManualClock.settle()` for what it cannot know.
    ///
    /// - Parameter duration: How far.
    public func advance(by duration: Duration) async { await clock.advance(by: duration) }

    /// Returns once the server has admitted so many calls whose handlers have not returned.
    ///
    /// A test that moves the clock waits for its calls first: one that has not been sent yet
    /// begins at the later time. Waits for ever if the calls never come.
    ///
    /// - Parameter count: How many.
    /// - Throws: `CancellationError` when the task is cancelled, for instance by a time limit.
    public func waitForCalls(_ count: Int) async throws {
        while server.callCount < count {
            try Task.checkCancellation()
            await clock.settle()
            await Task.yield()
        }
    }

    /// Ends the client, the server and the loops.
    ///
    /// Calls in flight are cancelled.
    public func stop() async {
        let (client, server) = (client, server)
        async let closed: Void = client.close()
        async let ended: Void = server.shutdown()
        // The clock stands still, so nothing would ever be late.
        while server.connectionCount > 0 {
            server.cancelCalls()
            await clock.advance(by: .milliseconds(100))
        }
        await ended
        await closed
        await group.shutdown()
    }
}

/// Serves services in memory while `body` calls them.
///
/// - Parameters:
///   - services: What to serve.
///   - clock: The clock to follow; servers that call each other share one.
///   - interceptors: What runs around every handler.
///   - serverOptions: The server's bounds.
///   - clientOptions: The client's timeouts and limits.
///   - body: The test.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws, and what ``TestServer`` throws at its start.
public func withTestServer<R>(
    of services: any RPCService...,
    clock: ManualClock = ManualClock(),
    interceptors: [any ServerInterceptor] = [],
    serverOptions: RPCServerOptions = RPCServerOptions(),
    clientOptions: RPCClientOptions = RPCClientOptions(),
    _ body: (TestServer) async throws -> R
) async throws -> R {
    let test = try TestServer(
        clock: clock,
        interceptors: interceptors,
        serverOptions: serverOptions,
        clientOptions: clientOptions
    ) { _ in services }
    do {
        let result = try await body(test)
        await test.stop()
        return result
    } catch {
        await test.stop()
        throw error
    }
}
