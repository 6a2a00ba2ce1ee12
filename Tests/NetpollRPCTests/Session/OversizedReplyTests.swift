import NetpollCore
import NetpollTesting
import Testing

@testable import NetpollRPC

/// A session and a peer that writes what the test wants, joined in memory.
@Suite("A client session and replies over its limit", .timeLimit(.minutes(1)))
struct OversizedReplyTests {
    private struct World {
        let loops: EventLoopGroup
        let far: Connection
        let session: ClientSession

        init(_ connections: RPCClientOptions.Connections) async throws {
            loops = try EventLoopGroup(count: 1)
            let loop = loops.loops[0]
            var options = RPCClientOptions()
            options.connections = connections
            options.limits.frameByteCount = 200
            let (near, far) = Connection.makePair(loop, loop, (.init(), .init()))
            self.far = far
            session = ClientSession(near, options: options)
            far.begin(nil)
            near.begin { [session] _ in session }
            await loop.turn()
        }

        /// Begins a call and returns once its request has come.
        func begin(_ id: Int32) async throws -> Task<ClientSession.Outcome, Never> {
            let head = frameHead(id, .call)
            let call = Task { [session] in
                await session.call(
                    head,
                    BufferSlice(),
                    deadline: .after(.seconds(30)),
                    limits: WireLimits()
                )
            }
            let byteCount = try encode(head, body: []).count
            _ = try await far.read(count: byteCount, deadline: .after(.seconds(30)))
            return call
        }

        func frameHead(_ id: Int32, _ type: WireFormat.MessageType) -> FrameHead {
            FrameHead(
                transport: .ttHeaderFramed,
                type: type,
                sequenceID: id,
                method: [0x41],
                template: HeaderTemplate()
            )
        }

        func reply(_ id: Int32, bodyByteCount: Int) throws -> [UInt8] {
            try encode(frameHead(id, .reply), body: [UInt8](repeating: 1, count: bodyByteCount))
        }
    }

    private func expectTooLarge(_ outcome: ClientSession.Outcome) {
        guard case .failure(.failed(let error)) = outcome else {
            Issue.record("the reply was taken")
            return
        }
        #expect(error.code == .resourceExhausted && error.retry == .never)
        #expect(error.message.contains("exceeds the limit of 200"))
    }

    @Test("its call fails before the rest has come, and the others on the connection go on")
    func multiplexed() async throws {
        let world = try await World(.multiplexed(count: 1))
        let large = try await world.begin(1)
        let other = try await world.begin(2)
        let bytes = try world.reply(1, bodyByteCount: 300_000)
        try await world.far.write(Array(bytes[..<20]))
        expectTooLarge(await large.value)
        #expect(world.session.isActive && !world.session.endedWithoutUse)
        try await world.far.write(Array(bytes[20...]) + world.reply(2, bodyByteCount: 10))
        guard case .success(let reply) = await other.value else {
            Issue.record("the other call failed")
            return
        }
        #expect(reply.message.body.count == 10)
        await world.loops.shutdown()
    }

    @Test("one that nobody waits for is skipped")
    func late() async throws {
        let world = try await World(.multiplexed(count: 1))
        let call = try await world.begin(2)
        try await world.far.write(
            world.reply(77, bodyByteCount: 3000) + world.reply(2, bodyByteCount: 10)
        )
        guard case .success = await call.value else {
            Issue.record("the call failed")
            return
        }
        await world.loops.shutdown()
    }

    @Test("with one call at a time the connection ends with its call, and had been of use")
    func pooled() async throws {
        let world = try await World(.pooled(limit: 1))
        let call = try await world.begin(1)
        try await world.far.write(Array(world.reply(1, bodyByteCount: 3000).prefix(20)))
        expectTooLarge(await call.value)
        #expect(!world.session.isActive && !world.session.endedWithoutUse)
        await world.loops.shutdown()
    }

    @Test("one that is too long to skip closes the connection, and the others are unavailable")
    func tooLong() async throws {
        let world = try await World(.multiplexed(count: 1))
        let large = try await world.begin(1)
        let other = try await world.begin(2)
        // The length says 4 GiB.
        let bytes = try world.reply(1, bodyByteCount: 10)
        try await world.far.write([0xFF, 0xFF, 0xFF, 0xFF] + bytes[4..<20])
        expectTooLarge(await large.value)
        guard case .failure(.failed(let error)) = await other.value else {
            Issue.record("the other call goes on")
            return
        }
        #expect(error.code == .unavailable)
        #expect(!world.session.isActive && !world.session.endedWithoutUse)
        await world.loops.shutdown()
    }

    @Test("one whose call is not told is a violation for all")
    func unreadable() async throws {
        let world = try await World(.multiplexed(count: 1))
        let call = try await world.begin(1)
        let bytes = try world.reply(1, bodyByteCount: 300)
        // A sequence id of 0 says that it is about the connection.
        try await world.far.write(Array(bytes[..<8]) + [0, 0, 0, 0] + Array(bytes[12...]))
        guard case .failure(.failed(let error)) = await call.value else {
            Issue.record("the call goes on")
            return
        }
        #expect(error.code == .protocolViolation)
        await world.loops.shutdown()
    }
}
