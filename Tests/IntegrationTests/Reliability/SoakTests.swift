import NetpollCore
import NetpollProtobuf
import NetpollRPC
import NetpollTesting
import TestProtos
import TestSupport
import Testing

// Row C17, in short: the sizes of gRPC's soak test among others, over real sockets.
@Suite("Calls for a while", .timeLimit(.minutes(2)))
struct SoakTests {
    private struct Load: Sendable {
        let fixture: Fixture
        let seed: UInt64

        /// Makes calls of mixed sizes, 8 at a time, with a client of its own and ends it.
        func round(_ number: Int) async throws {
            var random = SeededGenerator(seed: seed &+ UInt64(number))
            let client = try fixture.client(
                number % 2 == 0 ? .multiplexed(count: 2) : .pooled(limit: 4)
            )
            let echo = Echo_EchoClient(client)
            let sizes = (0..<24).map { index in
                switch index {
                case 0: 0
                case 1: 271_828
                case 2: 314_159
                default:
                    Int.random(in: 0...1 << Int.random(in: 0...14, using: &random), using: &random)
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, size) in sizes.enumerated() {
                    if index >= 8 { try await group.next() }
                    group.addTask {
                        let text = String(repeating: "s", count: size)
                        let reply = try await echo.echo(.with { $0.msg = text })
                        #expect(reply.msg == text, "seed \(seed)")
                    }
                }
                try await group.waitForAll()
            }
            // Now and then one whose connection breaks with a call in flight.
            if number % 5 == 0 {
                let call = Task { try await echo.sleep(.with { $0.millis = 60_000 }) }
                call.cancel()
                _ = await call.result
            }
            await client.close()
        }
    }

    @Test("nothing fails, and descriptors, calls and memory do not grow", .measuresMemory)
    func soak() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        let load = Load(fixture: try Fixture(), seed: seed)
        let server = load.fixture.server
        var samples: [(descriptors: Int, memory: Int)] = []
        var least = Int.max
        for part in 0..<4 {
            for number in 0..<150 { try await load.round(part * 150 + number) }
            try await eventually("all connections have closed") { server.connectionCount == 0 }
            #expect(server.callCount == 0)
            // The clients' ends of connections close a moment after the server's. The first part fills
            // the caches, and what came before may let go of something yet.
            if part > 0 {
                try await eventually("no more descriptors than after part \(part), seed \(seed)") {
                    ProcessState.descriptorCount <= least
                }
            }
            least = min(least, ProcessState.descriptorCount)
            samples.append((ProcessState.descriptorCount, ProcessState.residentByteCount))
        }
        print("descriptors and memory after each part: \(samples)")
        let growth = samples[3].memory - samples[1].memory
        #expect(growth < 8 << 20, "\(growth) bytes in 300 rounds")
        await load.fixture.stop()
    }
}
