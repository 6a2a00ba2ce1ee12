public import NetpollCore
internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// System calls that fail now and then, as the kernel may let them: interrupted, not ready, short,
/// or with the connection reset.
///
/// Give it to an `EventLoopGroup` through ``options``. The same seed gives the same faults for
/// the same sequence of calls. Any thread.
public final class SeededFaults: SystemCallFaults {
    /// How often each fault happens, as one in so many calls; 0 for never.
    public struct Rates: Sendable {
        /// `EINTR`, which the core repeats.
        public var interrupted = 8
        /// `EAGAIN`, after which the core waits for readiness.
        public var notReady = 8
        /// A call that moves only 1 to 16 bytes.
        public var short = 4
        /// `ECONNRESET` on a read or write, which ends the connection.
        public var reset = 0

        /// Creates rates that lose nothing: no reset.
        public init() {}
    }

    private let rates: Rates
    private let random: Locked<SeededGenerator>
    private let count = Atomic<Int>(0)

    /// Creates faults.
    ///
    /// - Parameters:
    ///   - seed: What decides which calls fail.
    ///   - rates: How often they do.
    public init(seed: UInt64, rates: Rates = Rates()) {
        self.rates = rates
        random = Locked(SeededGenerator(seed: seed))
    }

    /// How many faults have happened.
    public var faultCount: Int { count.load(ordering: .relaxed) }

    /// The options of a group whose calls fail.
    public var options: EventLoopGroupOptions {
        var options = EventLoopGroupOptions()
        options.faults = self
        return options
    }

    package func fault(for call: SystemCall, on fileDescriptor: Int32) -> SystemCallFault? {
        let fault = random.withLock { Self.choose(call, rates, &$0) }
        if fault != nil { count.wrappingAdd(1, ordering: .relaxed) }
        return fault
    }

    private static func choose(
        _ call: SystemCall,
        _ rates: Rates,
        _ random: inout SeededGenerator
    ) -> SystemCallFault? {
        func happens(_ rate: Int) -> Bool {
            rate > 0 && Int.random(in: 0..<rate, using: &random) == 0
        }
        switch call {
        case .connect: return nil
        case .accept: return happens(rates.interrupted) ? .failure(EINTR) : nil
        case .read, .write:
            if happens(rates.interrupted) { return .failure(EINTR) }
            if happens(rates.notReady) { return .failure(EAGAIN) }
            if happens(rates.reset) { return .failure(ECONNRESET) }
            return happens(rates.short) ? .short(Int.random(in: 1...16, using: &random)) : nil
        }
    }
}

/// System calls that fail as a script says, each kind in its own order; calls after the end of
/// their script are made as they are.
///
/// Any thread.
public final class ScriptedFaults: SystemCallFaults {
    /// One step of a script.
    public enum Step: Sendable, Hashable {
        /// The call is made as it is.
        case pass
        /// The call fails with this `errno`.
        case fail(Int32)
        /// The call moves at most so many bytes.
        case short(Int)
    }

    private let scripts: Locked<[SystemCall: [Step]]>

    /// Creates a script.
    ///
    /// - Parameters:
    ///   - reads: What happens to reads, in order.
    ///   - writes: What happens to writes.
    ///   - accepts: What happens to accepts.
    ///   - connects: What happens to connects.
    public init(
        reads: [Step] = [],
        writes: [Step] = [],
        accepts: [Step] = [],
        connects: [Step] = []
    ) {
        // Reversed, so that the next step is the last.
        scripts = Locked([
            .read: reads.reversed(), .write: writes.reversed(), .accept: accepts.reversed(),
            .connect: connects.reversed(),
        ])
    }

    /// Whether every step has happened.
    public var isFinished: Bool { scripts.withLock { $0.values.allSatisfy(\.isEmpty) } }

    /// The options of a group whose calls follow the script.
    public var options: EventLoopGroupOptions {
        var options = EventLoopGroupOptions()
        options.faults = self
        return options
    }

    package func fault(for call: SystemCall, on fileDescriptor: Int32) -> SystemCallFault? {
        switch scripts.withLock({ $0[call]?.popLast() }) {
        case .fail(let number): .failure(number)
        case .short(let count): .short(count)
        case .pass, nil: nil
        }
    }
}
