import NetpollTesting
import TestSupport
import Testing

@testable import NetpollCore

@Suite("The end of a group", .timeLimit(.minutes(1)))
struct LoopEndTests {
    @Test("a task on one of its loops can end the group and goes on after that")
    func fromInside() async throws {
        let group = try EventLoopGroup(count: 2)
        let ended = Task(executorPreference: group.loops[1]) {
            await group.shutdown()
            return true
        }
        #expect(await ended.value)
        #expect(!group.loops[0].execute {} && !group.loops[1].execute {})
    }

    @Test("whoever waits for a connection or a time is told, and nothing stays open")
    func waiting() async throws {
        await #expect(processExitsWith: .success) {
            let tracker = LeakTracker()
            try await Self.endWithEverythingOpen(tracker)
            // What the process itself opens late, it has now.
            let before = ProcessState.descriptorCount
            for _ in 0..<3 { try await Self.endWithEverythingOpen(tracker) }
            #expect(await tracker.leftovers() == [])
            try await eventually("all descriptors are closed") {
                ProcessState.descriptorCount <= before
            }
        }
    }

    private static func endWithEverythingOpen(_ tracker: LeakTracker) async throws {
        let group = try EventLoopGroup(count: 2)
        let listener = try Listener(on: .tcp(host: "127.0.0.1", port: 0), group: group) {
            tracker.track($0, as: "an accepted connection")
            return Echo()
        }
        let connection = try await Dialer(group: group).dial(listener.localAddress)
        tracker.track(connection, as: "a dialled connection")
        tracker.track(listener, as: "the listener")
        tracker.track(group, as: "the group")
        let pair = ConnectedPair(group: group)
        let reads = [connection, pair.first].map { end in Task { try await end.read(count: 2) } }
        let sleep = Task { try await group.loops[0].sleep(until: .after(.seconds(1000))) }
        try await connection.write([1])
        while await connection.bufferedByteCount() == 0 { await Task.yield() }
        await group.shutdown()
        for read in reads {
            let error = await #expect(throws: NetpollError.self) { try await read.value }
            // Its peer's loop may have ended first.
            #expect([.shutdown, .endOfStream].contains(error?.code))
        }
        await #expect(throws: CancellationError.self) { try await sleep.value }
        #expect(!connection.isActive && !pair.first.isActive)
    }

    @Test("new connections go to the loop that watches fewer")
    func placement() async throws {
        let group = try EventLoopGroup(count: 2)
        let pairs = (0..<20).map { _ in
            Connection.makePair(group.loops[0], group.loops[0], (.init(), .init()))
        }
        for pair in pairs {
            pair.0.begin(nil)
            pair.1.begin(nil)
        }
        await group.loops[0].turn()
        for _ in 0..<10 { #expect(group.next() === group.loops[1]) }
        for pair in pairs {
            pair.0.abort()
            pair.1.abort()
        }
        await group.loops[0].turn()
        #expect(Set((0..<10).map { _ in group.next().index }) == [0, 1])
        await group.shutdown()
    }

    @Test("a hundred thousand timers cost no scan: each comes out once, in order")
    func manyTimers() async throws {
        let clock = ManualClock()
        let group = try EventLoopGroup(count: 1, options: clock.options)
        let loop = group.loops[0]
        let count = 100_000
        let fired = Shared<[Int]>([])
        await loop.call {
            for number in 0..<count {
                // Each deadline once, far from in order: 7919 has no factor in common with the count.
                let place = number * 7919 % count
                let deadline = clock.deadline(after: .milliseconds(place + 1))
                _ = loop.schedule(at: deadline, { fired.update { $0.append(place) } })
            }
        }
        let waiting = await loop.timerCount()
        #expect(waiting == count)
        await clock.advance(by: .milliseconds(count / 2))
        #expect(fired.value.count == count / 2)
        await clock.advance(by: .milliseconds(count))
        #expect(fired.value == Array(0..<count))
        await group.shutdown()
    }
}
