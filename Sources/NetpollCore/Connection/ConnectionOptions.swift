/// How a connection buffers, reads and watches its peer.
///
/// Values are copied at creation.
public struct ConnectionOptions: Sendable {
    /// How a dead TCP peer is noticed (tcp(7)).
    public struct Liveness: Sendable, Hashable {
        /// Idle time before the first keep-alive probe; whole seconds, at least 1.
        ///
        /// Default 10 s.
        public var idle: Duration = .seconds(10)
        /// Time between probes; whole seconds, at least 1.
        ///
        /// Default 2 s.
        public var interval: Duration = .seconds(2)
        /// Probes that go unanswered before the peer counts as dead.
        ///
        /// Default 3: one or two may be lost.
        public var probes: Int = 3
        /// How long sent bytes may stay unacknowledged (`TCP_USER_TIMEOUT`).
        ///
        /// Default 15 s. Linux goes by it for probes too, whatever ``probes`` says: from then on after
        /// the last byte came, one more that is unanswered ends the connection. So keep it above
        /// ``idle`` and some intervals.
        public var unacknowledged: Duration = .seconds(15)

        /// Creates the defaults: a dead peer is noticed in about 16 s idle, 15 s with unsent bytes.
        public init() {}
    }

    /// Bytes that may wait unread before reading pauses; reading resumes below half.
    ///
    /// Default 1 MiB.
    ///
    /// A handler that asked for a longer message than this raises the mark to that length.
    public var readHighWaterMark = 1 << 20
    /// Bytes that may wait unsent before ``Connection/write(_:deadline:)-(BufferSlice,_)``
    /// suspends.
    ///
    /// Default 1 MiB.
    public var writeHighWaterMark = 1 << 20
    /// How long ``Connection/close()`` may take to send what is queued.
    ///
    /// Default 5 s.
    public var drainTimeout: Duration = .seconds(5)
    /// The first size of a read in bytes; doubles while reads fill up and decays.
    ///
    /// Default 4 KiB.
    public var initialReadSize = 4096
    /// The largest size of a read that traffic alone can cause.
    ///
    /// Default 256 KiB.
    public var readSizeLimit = 256 << 10
    /// How long no byte may come or go before the connection is closed with `timedOut`; `nil` for
    /// ever.
    ///
    /// Default `nil`: what idle means is for the protocol above to say.
    public var idleTimeout: Duration?
    /// How long queued bytes may wait for a peer that takes none before the connection is closed
    /// with `timedOut`; `nil` for ever.
    ///
    /// Default 30 s.
    public var stallTimeout: Duration? = .seconds(30)
    /// Sends small writes at once (`TCP_NODELAY`, tcp(7)).
    ///
    /// Default true: every flush is whole, so waiting for more only adds delay.
    public var sendsImmediately = true
    /// The kernel's receive buffer in bytes (`SO_RCVBUF`, socket(7)).
    ///
    /// Default `nil`: the kernel's choice.
    public var receiveBufferSize: Int?
    /// The kernel's send buffer in bytes (`SO_SNDBUF`, socket(7)).
    ///
    /// Default `nil`: the kernel's choice.
    public var sendBufferSize: Int?
    /// Dead-peer detection on TCP, on by default; `nil` leaves the system's settings.
    public var liveness: Liveness? = Liveness()

    /// Creates the defaults.
    public init() {}
}
