import NetpollCore
import NetpollProtobuf
import TestProtos
import TestSupport
import Testing

@testable import NetpollRPC

/// Each test runs in a process of its own, because memory is the process's.
@Suite("Frames that claim more than they bring", .timeLimit(.minutes(2)))
struct ClaimedLengthTests {
    /// The first 14 bytes of a TTHeader frame of a claimed length.
    static func prefix(claiming length: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) }
            + [0x10, 0, 0, 0, 0, 0, 0, 1, 0, 1]
    }

    /// That the sender is told by the frame's sequence id, at once, and the connection ends.
    private static func expectRefusal(_ raw: RawSocket) throws {
        let bytes = try raw.receiveFrame()
        let answer = try Answer(bytes)
        #expect(answer.sequenceID == 1)
        #expect(answer.error?.code == .resourceExhausted)
        #expect(try raw.receiveEnd() == .finished)
    }

    // Row A4.
    @Test(
        "lengths above the limit are refused before memory is taken for them",
        .measuresMemory
    )
    func aboveLimit() async {
        await #expect(processExitsWith: .success) {
            let fixture = try Fixture()
            let port = fixture.port
            let limit = UInt32(WireLimits().frameByteCount)
            // What the first calls need is there to stay.
            try await fixture.expectService()
            try await blocking {
                for length: UInt32 in [.max, 0x7FFF_FFFF, limit + 1, limit - 3] {
                    let raw = try RawSocket(port: port)
                    try raw.send(Self.prefix(claiming: length))
                    try Self.expectRefusal(raw)
                }
                let before = ProcessState.residentByteCount
                for round in 0..<50 {
                    let length = [UInt32.max, 0x7FFF_FFFF, limit + 1][round % 3]
                    let raw = try RawSocket(port: port)
                    try raw.send(Self.prefix(claiming: length))
                    try Self.expectRefusal(raw)
                }
                #expect(ProcessState.residentByteCount - before < 1 << 20)
            }
            try await fixture.expectService()
            await fixture.stop()
        }
    }

    // Row B17.
    @Test(
        "a thousand connections that claim 60 MiB and send little cost little",
        .measuresMemory
    )
    func halfFrames() async {
        await #expect(processExitsWith: .success) {
            ProcessState.limitDescriptors(to: 4096)
            let fixture = try Fixture()
            let port = fixture.port
            try await fixture.expectService()
            let before = ProcessState.residentByteCount
            let bytes = Self.prefix(claiming: 60 << 20) + [UInt8](repeating: 0, count: 986)
            let peers = try await blocking {
                try (0..<1000).map { _ in
                    let raw = try RawSocket(port: port)
                    try raw.send(bytes)
                    return raw
                }
            }
            try await eventually("all are connected") { fixture.server.connectionCount >= 1000 }
            // Loops take what came before a call, so after these calls the bytes have been read.
            for _ in 0..<20 { try await fixture.expectService() }
            let grown = ProcessState.residentByteCount - before
            #expect(grown < 32 << 20, "\(grown / peers.count) bytes for each connection")
            for peer in peers { peer.reset() }
            try await eventually("all have left") { fixture.server.connectionCount == 0 }
            await fixture.stop()
        }
    }
}
