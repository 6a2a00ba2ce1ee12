internal import NetpollCore
internal import Synchronization

/// What all connections of a server together may ask of it.
///
/// Any thread. Without a rate and without an adaptive limit a call costs one atomic addition.
final class ServerLimits: Sendable {
    private let inFlight = Atomic<Int>(0)
    private let inFlightLimit: Int
    private let rate: RateGate?
    private let delay: DelayGate?

    private final class RateGate: Sendable {
        let bucket: Locked<TokenBucket>
        init(_ limit: RateLimit) { bucket = Locked(TokenBucket(limit)) }
    }

    private final class DelayGate: Sendable {
        let control: Locked<QueueDelayControl>
        init(_ limit: AdaptiveLimit) {
            control = Locked(
                QueueDelayControl(
                    target: limit.target.wholeNanoseconds,
                    interval: limit.interval.wholeNanoseconds
                )
            )
        }
    }

    init(_ options: RPCServerOptions) {
        inFlightLimit = options.serverInFlightLimit
        rate = options.rateLimit.map(RateGate.init)
        delay = options.adaptiveLimit.map(DelayGate.init)
    }

    /// The number of calls that were admitted and whose handlers have not returned.
    var inFlightCount: Int { inFlight.load(ordering: .relaxed) }

    /// Whether somebody wants to know how long calls wait.
    var measuresDelay: Bool { delay != nil }

    /// Takes a call in, or says why not.
    ///
    /// One that was taken in leaves by ``release(_:)``.
    func admit(on loop: EventLoop) -> RPCError? {
        let count = inFlight.wrappingAdd(1, ordering: .relaxed).newValue
        guard count <= inFlightLimit else {
            release(1)
            return .overLimit("the server has \(inFlightLimit) calls in flight", .elsewhere)
        }
        guard let rate else { return nil }
        let now = loop.now().uptimeNanoseconds
        if rate.bucket.withLock({ $0.take(now: now) }) { return nil }
        release(1)
        return .overLimit("request too frequent", .later)
    }

    /// Lets calls go whose handlers have returned or will never start.
    func release(_ count: Int) { inFlight.wrappingSubtract(count, ordering: .relaxed) }

    /// Why a call whose handler could start now is not to run, if so.
    func refusal(waitingSince begin: Deadline, now: Deadline) -> RPCError? {
        guard let delay else { return nil }
        let waited = begin < now ? now.uptimeNanoseconds - begin.uptimeNanoseconds : 0
        let admits = delay.control.withLock {
            $0.admits(delay: waited, now: now.uptimeNanoseconds)
        }
        return admits ? nil : .overLimit("calls wait too long for their turn", .elsewhere)
    }
}

extension RPCError {
    /// A call that the server has no room for; it has not run.
    ///
    /// Kitex clients know the beginning of the text.
    static func overLimit(_ what: String, _ advice: RetryAdvice) -> RPCError {
        RPCError(
            .resourceExhausted,
            "request over limit: \(what)",
            exceptionID: WireFormat.ExceptionID.internalError,
            retry: advice
        )
    }
}
