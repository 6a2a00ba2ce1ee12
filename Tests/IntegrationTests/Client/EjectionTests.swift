import NetpollCore
import NetpollProtobuf
import NetpollRPC
import NetpollTesting
import TestProtos
import Testing

// Row C12.
@Suite("Servers that answer badly", .timeLimit(.minutes(2)))
struct EjectionTests {
    /// Three servers on real sockets, a client whose clock the test moves, and which servers fail.
    private struct Scene {
        let clock = ManualClock()
        let fleet: Fleet
        let loops: EventLoopGroup
        let client: RPCClient
        private let state: Locked<(bad: Set<Int>, counts: [Int])>.Box

        init(_ mode: RPCClientOptions.Connections) throws {
            let state = Locked<(bad: Set<Int>, counts: [Int])>.Box(([], [0, 0, 0]))
            self.state = state
            fleet = try Fleet(3, loops: try EventLoopGroup(count: 1)) { number, _, _ in
                // A bad one fails every second call.
                let fails = state.value.withLock { state in
                    state.counts[number] += 1
                    return state.bad.contains(number) && state.counts[number] % 2 == 0
                }
                if fails { throw RPCError(.internalError, "bad") }
            }
            loops = try EventLoopGroup(count: 1, options: clock.options)
            var options = RPCClientOptions()
            options.connections = mode
            options.circuitBreaker?.minimumSamples = 20
            client = try RPCClient(
                resolver: StaticResolver(fleet.addresses),
                options: options,
                group: loops
            )
        }

        func setBad(_ numbers: Set<Int>) { state.value.withLock { $0.bad = numbers } }

        var ejected: [Int] {
            client.endpoints.enumerated().filter { $0.element.isEjected }.map(\.offset)
        }

        /// Makes calls one after the other.
        ///
        /// - Returns: How many went to each server, and how many failed.
        func call(_ count: Int) async throws -> (served: [Int], failed: Int) {
            let before = state.value.withLock { $0.counts }
            var failed = 0
            for _ in 0..<count {
                do {
                    _ = try await Echo_EchoClient(client).echo(.init())
                } catch let error as RPCError {
                    #expect(error.code == .internalError)
                    failed += 1
                }
            }
            let after = state.value.withLock { $0.counts }
            return (zip(after, before).map { $0 - $1 }, failed)
        }

        func stop() async {
            await client.close()
            await loops.shutdown()
            await fleet.stop()
        }
    }

    @Test(
        "one that fails half of its calls is left out, probed, and comes back when it is well",
        arguments: CallTests.modes
    )
    func oneBad(mode: RPCClientOptions.Connections) async throws {
        let scene = try Scene(mode)
        scene.setBad([1])
        let first = try await scene.call(90)
        #expect(scene.ejected == [1])
        #expect(first.failed <= 11, "\(first.failed) failures until it was found out")
        let without = try await scene.call(60)
        #expect(without.served == [30, 0, 30] && without.failed == 0)
        // Still bad: of two probes one fails, and it stays out.
        await scene.clock.advance(by: .seconds(6))
        let probed = try await scene.call(60)
        #expect((1...2).contains(probed.served[1]) && probed.failed <= 1)
        #expect(scene.ejected == [1])
        scene.setBad([])
        await scene.clock.advance(by: .seconds(6))
        _ = try await scene.call(20)
        #expect(scene.ejected == [])
        let whole = try await scene.call(60)
        #expect(whole.served == [20, 20, 20] && whole.failed == 0)
        await scene.stop()
    }

    @Test("when all are bad, no more than the share is left out, and all come back")
    func allBad() async throws {
        let scene = try Scene(.multiplexed(count: 1))
        scene.setBad([0, 1, 2])
        let bad = try await scene.call(300)
        // Half of three, rounded down.
        #expect(scene.ejected.count == 1)
        #expect(bad.failed > 100, "calls still go where they fail, instead of nowhere")
        scene.setBad([])
        await scene.clock.advance(by: .seconds(6))
        _ = try await scene.call(20)
        #expect(scene.ejected == [])
        let whole = try await scene.call(60)
        #expect(whole.served == [20, 20, 20] && whole.failed == 0)
        await scene.stop()
    }
}
