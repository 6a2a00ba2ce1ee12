import NetpollTesting
import Testing

@testable import NetpollRPC

@Suite("A server's rate limit")
struct TokenBucketTests {
    private static let second: UInt64 = 1_000_000_000

    @Test("a burst is taken at once, and then one call for each that falls due")
    func burst() {
        var bucket = TokenBucket(RateLimit(callsPerSecond: 10, burst: 3))
        let start = 7 * Self.second
        #expect((0..<5).map { _ in bucket.take(now: start) } == [true, true, true, false, false])
        #expect(bucket.take(now: start + Self.second / 10 - 1) == false)
        #expect(bucket.take(now: start + Self.second / 10) == true)
        #expect(bucket.take(now: start + Self.second / 10) == false)
    }

    @Test("a pause of any length saves up no more than a burst")
    func pause() {
        var bucket = TokenBucket(RateLimit(callsPerSecond: 1000, burst: 5))
        #expect(bucket.take(now: 1) == true)
        let later = 1_000_000 * Self.second
        #expect((0..<10).count { _ in bucket.take(now: later) } == 5)
    }

    @Test("whatever the times of the calls, no window takes more than its share and a burst")
    func windows() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        let (rate, burst) = (1000, 10)
        var bucket = TokenBucket(RateLimit(callsPerSecond: Double(rate), burst: burst))
        var now = Self.second
        var taken: [UInt64] = []
        for _ in 0..<5000 {
            now += UInt64.random(in: 0...1_000_000, using: &random)
            if bucket.take(now: now) { taken.append(now) }
        }
        for (first, start) in taken.enumerated() {
            let inWindow = taken[first...].prefix { $0 - start < Self.second / 10 }.count
            #expect(inWindow <= rate / 10 + burst, "seed \(seed)")
        }
        // The calls came at twice the rate, so the bucket was never left unused.
        let elapsed = Double(now - Self.second) / Double(Self.second)
        #expect(Double(taken.count) >= elapsed * Double(rate) * 0.9, "seed \(seed)")
    }

    @Test(
        "odd values mean the nearest possible limit",
        arguments: [
            (0, 0), (-5, -5), (.nan, 1), (.infinity, .max), (1e300, .max),
            (.leastNonzeroMagnitude, .min),
        ] as [(Double, Int)]
    )
    func oddValues(rate: Double, burst: Int) {
        var bucket = TokenBucket(RateLimit(callsPerSecond: rate, burst: burst))
        #expect(bucket.take(now: 0) == true)
        _ = bucket.take(now: .max)
        _ = bucket.take(now: .max)
        #expect(RateLimit(callsPerSecond: rate).burst >= 1)
    }
}

@Suite("A server's adaptive limit")
struct QueueDelayControlTests {
    // In microseconds: the average of the spacing needs finer steps.
    private var control = QueueDelayControl(target: 5000, interval: 100_000)

    private mutating func admits(_ delay: UInt64, at now: UInt64) -> Bool {
        control.admits(delay: delay * 1000, now: now * 1000)
    }

    /// Feeds a call each microsecond; says how many of them were refused.
    private mutating func feed(_ times: Range<UInt64>, delay: (UInt64) -> UInt64) -> Int {
        times.count { !admits(delay($0), at: $0) }
    }

    @Test("calls that start in time are never refused")
    mutating func calm() {
        let refused = feed(1000..<3000) { _ in 5 }
        #expect(refused == 0)
    }

    @Test("a burst that is worked off within an interval is no reason to refuse anything")
    mutating func burst() {
        // Once in each interval a call starts at once.
        let refused = feed(1000..<3000) { $0 % 50 == 0 ? 0 : 1000 }
        #expect(refused == 0)
    }

    @Test("after an interval without one call in time, those that waited long are refused")
    mutating func overload() {
        let before = feed(1000..<1100) { _ in 20 }
        #expect(before == 0)
        let during = feed(1100..<1200) { _ in 20 }
        #expect(during == 100)
        #expect(control.isOverloaded)
        #expect(admits(5, at: 1200) == true, "the target is not long")
    }

    @Test("it ends with a call that did not wait, and after a pause")
    mutating func recovery() {
        // Too short to be suspected of going on.
        _ = feed(1000..<1150) { _ in 20 }
        #expect(control.isOverloaded)
        #expect(admits(0, at: 1150) == true)
        let refused = feed(1151..<1250) { _ in 20 }
        #expect(refused == 0)
        _ = feed(1250..<1300) { _ in 20 }
        #expect(control.isOverloaded)
        #expect(
            admits(1000, at: 2000) == true,
            "nothing is known of the time between"
        )
    }

    @Test("one that lasted is taken for over only when no call waits long for an interval")
    mutating func suspicion() {
        _ = feed(1000..<1150) { _ in 20 }
        _ = feed(1150..<1400) { $0 % 2 == 0 ? 5 : 20 }
        #expect(control.isOverloaded)
        #expect(admits(0, at: 1400) == true)
        #expect(admits(9, at: 1401) == true, "less than twice what is allowed")
        #expect(admits(20, at: 1402) == false)
        #expect(admits(0, at: 1403) == true)
        let calm = feed(1404..<1500) { _ in 0 }
        let refused = feed(1500..<1600) { _ in 20 }
        #expect(calm == 0 && refused == 0)
    }

    @Test("calls may wait for two handlers, however long those take")
    mutating func slowHandlers() {
        for now in stride(from: 1000 as UInt64, to: 9000, by: 40) {
            #expect(admits(79, at: now) == true)
        }
        #expect(control.isOverloaded)
        #expect(admits(200, at: 9000) == false)
    }

    @Test("a server that starts a call now and then is not overloaded, however late they are")
    mutating func rare() {
        for now in stride(from: 1000 as UInt64, to: 9000, by: 100) {
            #expect(admits(50, at: now) == true)
        }
        #expect(!control.isOverloaded)
    }

    @Test("the ends of the clock and delays of any size overflow nothing")
    mutating func extremes() {
        for now in [0, 1, .max - 1, .max, .max] as [UInt64] {
            for delay in [0, .max] as [UInt64] { _ = control.admits(delay: delay, now: now) }
        }
        var zero = QueueDelayControl(target: 0, interval: 0)
        #expect(zero.admits(delay: .max, now: 0) == true)
    }
}
