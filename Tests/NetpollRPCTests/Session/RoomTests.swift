import NetpollCore
import NetpollTesting
import Testing

@testable import NetpollRPC

@Suite("Calls for which the connection has no room", .timeLimit(.minutes(1)))
struct RoomTests {
    @Test("so many wait until the server takes bytes, more fail, and those that waited are sent")
    func limit() async throws {
        let loops = try EventLoopGroup(count: 1)
        let loop = loops.loops[0]
        var connection = ConnectionOptions()
        connection.writeHighWaterMark = 1
        connection.readHighWaterMark = 1024
        let (near, far) = Connection.makePair(loop, loop, (connection, connection))
        var options = RPCClientOptions()
        options.connectionWaiterLimit = 2
        let session = ClientSession(near, options: options)
        far.begin(nil)
        near.begin { _ in session }
        await loop.turn()
        let (ends, continuation) = AsyncStream.makeStream(of: (Int32, RPCError?).self)
        func begin(_ id: Int32, bodyByteCount: Int = 0) {
            let head = FrameHead(
                transport: .ttHeaderFramed,
                type: .call,
                sequenceID: id,
                method: [0x41],
                template: HeaderTemplate()
            )
            let body = BufferSlice(copying: [UInt8](repeating: 0, count: bodyByteCount))
            Task {
                let outcome = await session.call(
                    head,
                    body,
                    deadline: .after(.seconds(30)),
                    limits: WireLimits()
                )
                var failure: RPCError?
                if case .failure(.failed(let error)) = outcome { failure = error }
                continuation.yield((id, failure))
            }
        }
        // More than the peer's buffers hold.
        begin(1, bodyByteCount: 4 << 20)
        while near.outputByteCount < 1 << 20 { await loop.turn() }
        for id in 2...4 { begin(Int32(id)) }
        var outcomes = ends.makeAsyncIterator()
        let refused = await outcomes.next()
        #expect(refused?.1?.code == .resourceExhausted && refused?.0 != 1)
        // The server takes everything, and goes.
        var received = 0
        while received < 4 << 20 || near.outputByteCount > 0 {
            let bytes = try await far.read(deadline: .after(.seconds(30)))
            received += bytes?.count ?? 0
        }
        far.abort()
        for _ in 0..<3 {
            let (id, error) = try #require(await outcomes.next())
            #expect(error?.code == .unavailable && id != refused?.0)
        }
        await loops.shutdown()
    }
}
