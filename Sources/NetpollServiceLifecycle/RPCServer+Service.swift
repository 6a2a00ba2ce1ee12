public import NetpollCore
public import NetpollRPC
public import ServiceLifecycle
public import UnixSignals

/// A server in a `ServiceGroup`.
extension RPCServer: Service {
    /// Serves at the server's `addresses` until the group shuts down gracefully, then
    /// answers the calls in flight within the drain timeout.
    ///
    /// Cancellation ends a server that runs as a shutdown does. It cancels the calls in flight of
    /// one that shuts down already.
    ///
    /// - Throws: As `start(on:)`.
    public func run() async throws {
        let server = self
        try await withGracefulShutdownHandler {
            try await run(on: addresses)
        } onGracefulShutdown: {
            server.beginShutdown()
        }
    }
}

extension RPCServer {
    /// Serves at the server's `addresses` until the process gets a signal, then answers
    /// the calls in flight within the drain timeout; a second signal cancels them.
    ///
    /// For programs without a `ServiceGroup`. The signals do nothing else meanwhile.
    ///
    /// - Parameters:
    ///   - signals: What ends the server.
    ///   - whenReady: Called once the server listens, with the addresses and the ports that were
    ///     chosen. Signals that arrive from then on end the server in good order.
    /// - Throws: As `start(on:)`.
    public func runUntilSignal(
        _ signals: [UnixSignal] = [.sigterm, .sigint],
        whenReady: ([SocketAddress]) -> Void = { _ in }
    ) async throws {
        let arrivals = await UnixSignalsSequence(trapping: signals)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var count = 0
                for await _ in arrivals {
                    count += 1
                    if count == 1 { self.beginShutdown() } else { self.cancelCalls() }
                }
            }
            // The watch of the signals ends with the server, however that ends.
            defer { group.cancelAll() }
            try await run(on: addresses, whenReady: whenReady)
        }
    }
}

/// A client in a `ServiceGroup`.
///
/// List it before what uses it: a group ends its services in reverse order, so the client is last.
extension RPCClient: Service {
    /// Waits until the group shuts down, or the task is cancelled, and closes the client: no new
    /// calls, and connections close once their calls have ended.
    ///
    /// - Throws: Nothing.
    public func run() async throws {
        // Cancellation is as good a reason to end.
        try? await gracefulShutdown()
        await close()
    }
}
