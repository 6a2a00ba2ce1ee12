public import Logging
public import NetpollCore

/// The bounds of a server.
///
/// Values are copied at creation.
public struct RPCServerOptions: Sendable {
    /// Most calls in flight on one connection; more are answered with an error.
    ///
    /// Default 4,096.
    public var inFlightLimit = 4096
    /// Most calls in flight on all connections together; more are answered with an error that
    /// advises to try another server.
    ///
    /// A call counts until its handler has returned, whatever became of its caller. Default 65,536.
    public var serverInFlightLimit = 65_536
    /// Most calls in a second.
    ///
    /// Default: no limit.
    public var rateLimit: RateLimit?
    /// Whether calls are refused early when they wait too long for their handlers to start.
    ///
    /// Default: they are not.
    public var adaptiveLimit: AdaptiveLimit?
    /// Where handlers run.
    ///
    /// Default: on the loop that read the request.
    public var execution = HandlerExecution.loop
    /// Where the handlers of some services and methods run, by full name: `package.Service` or
    /// `package.Service/Method`.
    ///
    /// A name that the server does not serve is an error at its start. Default: none.
    public var methodExecution: [String: HandlerExecution] = [:]
    /// How long ``RPCServer/shutdown()`` waits for calls in flight before it cancels them.
    ///
    /// Default 5 s.
    public var drainTimeout: Duration = .seconds(5)
    /// How long a new connection may take to send its first byte.
    ///
    /// Default 10 s. Clients that keep connections ready before their first call need more.
    public var firstByteTimeout: Duration = .seconds(10)
    /// How long a begun frame may take to arrive, while the server reads.
    ///
    /// Default 20 s.
    public var frameTimeout: Duration = .seconds(20)
    /// How long a connection may be without a call before it is closed.
    ///
    /// Default 10 min.
    public var idleTimeout: Duration = .seconds(600)
    /// Bounds of frames, sent and received.
    public var limits = WireLimits()
    /// Whether replies carry a checksum, and requests must.
    ///
    /// Default ``PayloadChecksum/off``; Kitex clients understand it.
    public var checksum = PayloadChecksum.off
    /// How long handlers may take, beside what their callers ask for.
    ///
    /// Default: as long as the caller waits.
    public var deadlines = DeadlinePolicy()
    /// How connections are accepted.
    public var listener = ListenerOptions()
    /// Where the server reports what callers are not told.
    ///
    /// At `info` one line for each handler that fails with an error of an unknown type, of which the
    /// caller learns nothing, and for a drain that takes too long; at `debug` whatever else happens to
    /// calls and connections. Default: the `Logger.current` of the task that makes the options, so
    /// those are made after `LoggingSystem.bootstrap`.
    public var logger = Logger.current

    /// Creates the defaults.
    public init() {}
}
