/// What a descriptor's owner wants to be told about.
struct Interest: OptionSet, Sendable {
    let rawValue: UInt8
    /// Bytes can be read, or the peer ended its direction.
    static let read = Interest(rawValue: 1)
    /// Bytes can be written.
    static let write = Interest(rawValue: 2)
    /// The peer ended its direction, told even while reading is paused.
    static let peerEnd = Interest(rawValue: 4)
    /// Both directions are over, or the socket has an error; epoll(7) tells that always.
    static let hangUp = Interest(rawValue: 8)
}

/// What the kernel said about a descriptor.
struct Readiness: OptionSet, Sendable {
    let rawValue: UInt8
    static let readable = Readiness(rawValue: 1)
    static let writable = Readiness(rawValue: 2)
    /// The peer ended its direction; bytes may still wait to be read.
    static let peerEnd = Readiness(rawValue: 4)
    /// Both directions are over, or the socket has an error.
    ///
    /// Cannot be masked, so the owner must act.
    static let hangUp = Readiness(rawValue: 8)
}

/// Something that owns a registered descriptor.
///
/// Called on the loop's thread only.
protocol ReadinessHandler: AnyObject, Sendable {
    func handle(_ readiness: Readiness)
    /// The loop ends and will tell nothing more: time to let go of the descriptor.
    func loopWillEnd()
}

/// Names one registration; a stale one names nothing, even if the descriptor number was reused.
struct RegistrationToken: Sendable, Hashable {
    let rawValue: UInt64

    init(rawValue: UInt64) { self.rawValue = rawValue }

    init(slot: Int, generation: UInt32) {
        rawValue = UInt64(generation) << 32 | UInt64(UInt32(truncatingIfNeeded: slot))
    }

    var slot: Int { Int(UInt32(truncatingIfNeeded: rawValue)) }
    var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
}
