import NetpollCore
import NetpollRPC
import NetpollTesting
import Synchronization
import TestProtos
import Testing

@Suite("Servers that accept and give no answer", .timeLimit(.minutes(2)))
struct UselessServerTests {
    private final class Count: Sendable {
        private let value = Atomic<Int>(0)
        var now: Int { value.load(ordering: .relaxed) }
        func add() { value.add(1, ordering: .relaxed) }
    }

    /// Ends the connection when the first bytes of a request have come.
    private final class Hangup: ConnectionHandler {
        func connection(_ connection: Connection, didReceive input: inout LinkBuffer) -> Int {
            input.removeAll()
            connection.close()
            return 0
        }
        func connectionDidReachEnd(_ connection: Connection) {}
        func connection(_ connection: Connection, didCloseWith error: NetpollError?) {}
    }

    @Test(
        "one that accepts and closes, at once or at a request, is dialled as rarely as a dead one",
        arguments: CallTests.modes,
        [false, true]
    )
    func backOff(mode: RPCClientOptions.Connections, readsFirst: Bool) async throws {
        let clock = ManualClock()
        let loops = try EventLoopGroup(count: 1)
        let timed = try EventLoopGroup(count: 1, options: clock.options)
        let accepted = Count()
        let listener = try Listener(on: .tcp(host: "127.0.0.1", port: 0), group: loops) {
            accepted.add()
            if readsFirst { return Hangup() }
            $0.close()
            return nil
        }
        var options = RPCClientOptions()
        options.connections = mode
        let client = try RPCClient(to: listener.localAddress, options: options, group: timed)
        // A call each 10 ms, for a second.
        for _ in 0..<100 {
            let call = Task { try await Echo_EchoClient(client).echo(.init()) }
            let error = await #expect(throws: RPCError.self) { try await call.value }
            #expect(error?.code == .unavailable)
            await clock.advance(by: .milliseconds(10))
        }
        // At 0, 10, 90, 220, 430 and 760 ms, or a fifth earlier.
        #expect((2...9).contains(accepted.now), "\(accepted.now) dials")
        await client.close()
        await listener.close()
        await timed.shutdown()
        await loops.shutdown()
    }
}
