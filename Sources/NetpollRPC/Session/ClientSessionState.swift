/// The decisions of one client connection: events in, actions out; no socket, no clock.
///
/// `Call` stands for whoever waits for a reply. Each call that was begun is handed out exactly
/// once: by its reply, its deadline, its cancellation, or the end of the connection.
struct ClientSessionState<Call> {
    /// Whether a call may be sent.
    enum Admission {
        /// Send it. If `timer` is set, ``expire(now:)`` must be called by then.
        case send(timer: UInt64?)
        /// The session takes no more calls; nothing was sent.
        case refused
        /// So many calls wait already; nothing was sent.
        case full
    }

    /// What a frame from the peer means.
    enum Receipt {
        /// The reply to a call. If `closes` is set, the connection is to be closed after it.
        case reply(Call, closes: Bool)
        /// Nobody waits for it any more.
        case late
        /// The peer is going away: no new calls, and close once nothing is in flight.
        case drain(closes: Bool)
    }

    private var calls = InFlightCalls<Call>()
    private let limit: Int
    private var isDraining = false
    private var isClosed = false
    /// When the runner will call ``expire(now:)`` next.
    private var timer: UInt64?
    /// Whether a call began, or was in flight, since ``spanPassed(_:)`` was last told.
    private var isUsed = true
    private var unusedSpanCount = 0
    /// Calls that ended without a reply, which the peer may still work on.
    private var unansweredCount = 0
    /// Replies that came after their call had ended.
    private(set) var lateReplyCount = 0

    /// - Parameter limit: Most calls in flight.
    init(limit: Int) { self.limit = limit }

    var inFlightCount: Int { calls.count }

    /// Whether the peer may be working on a call that nobody waits for.
    var hasUnanswered: Bool { unansweredCount > 0 }

    /// Whether new calls are taken.
    var acceptsCalls: Bool { !isDraining && !isClosed }

    /// A caller wants to send a call with a sequence id that no call in flight has.
    mutating func begin(_ sequenceID: Int32, deadline: UInt64, _ call: Call) -> Admission {
        guard acceptsCalls else { return .refused }
        guard calls.count < limit else { return .full }
        guard calls.insert(sequenceID, deadline: deadline, call) else { return .refused }
        isUsed = true
        if deadline == .max { return .send(timer: nil) }
        if let timer, timer <= deadline { return .send(timer: nil) }
        timer = deadline
        return .send(timer: deadline)
    }

    /// A frame arrived with this sequence id in its header.
    mutating func receive(_ sequenceID: Int32, isConnectionReset: Bool) -> Receipt {
        guard sequenceID != 0 else {
            // A control frame; its payload means nothing to us.
            if isConnectionReset { isDraining = true }
            return .drain(closes: isDraining && calls.count == 0)
        }
        guard let call = calls.remove(sequenceID) else {
            lateReplyCount &+= 1
            unansweredCount = max(0, unansweredCount - 1)
            return .late
        }
        return .reply(call, closes: isDraining && calls.count == 0)
    }

    /// A caller gives up.
    ///
    /// Returns it unless it has ended already.
    mutating func cancel(_ sequenceID: Int32) -> Call? {
        guard let call = calls.remove(sequenceID) else { return nil }
        unansweredCount += 1
        return call
    }

    /// The timer fired.
    ///
    /// Returns who waited too long, and when to come back.
    mutating func expire(now: UInt64) -> (expired: [Call], next: UInt64?) {
        let result = calls.removeExpired(now)
        unansweredCount += result.expired.count
        timer = result.next == .max ? nil : result.next
        return (result.expired, timer)
    }

    /// The request of a call has to wait before it can be sent.
    mutating func wait(_ sequenceID: Int32, at position: UInt64) {
        calls.setPosition(position, of: sequenceID)
    }

    /// The connection is gone: everyone who waits gets to know.
    ///
    /// - Parameter position: Where in the stream the bytes begin that were never sent.
    /// - Returns: The calls that may have run, and those that have not, because nothing of their
    ///   requests was sent.
    mutating func close(unsentFrom position: UInt64? = nil) -> (begun: [Call], unsent: [Call]) {
        isClosed = true
        return calls.removeAll(unsentFrom: position)
    }

    /// This side wants no new calls.
    ///
    /// Returns whether the connection can be closed at once.
    mutating func drain() -> Bool {
        isDraining = true
        return calls.count == 0
    }

    /// A span of time has passed; after `limit` of them without a call no new ones are taken.
    ///
    /// Returns whether the connection can be closed at once.
    mutating func spanPassed(_ limit: Int) -> Bool {
        unusedSpanCount = isUsed ? 0 : unusedSpanCount + 1
        isUsed = calls.count > 0
        return unusedSpanCount >= limit && drain()
    }

    /// Whether a drained session has nothing left to wait for.
    var isDrained: Bool { isDraining && calls.count == 0 }
}
