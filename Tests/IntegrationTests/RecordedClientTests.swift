import NetpollCore
import NetpollProtobuf
import TestProtos
import TestSupport
import Testing

@testable import NetpollRPC

/// What recorded clients get from our server, beside what they got from Kitex's.
@Suite("Recorded clients", .timeLimit(.minutes(2)))
struct RecordedClientTests {
    /// One reply without what may differ: the order of pairs and of frames.
    private struct Reply: Hashable {
        let transport: Transport
        let type: WireFormat.MessageType
        let method: String
        let sequenceID: Int32
        let body: [UInt8]
        let pairs: Set<[String]>
    }

    /// All replies; `ignoring` names pairs that one side may have and the other not.
    private func replies(_ bytes: [UInt8], ignoring: Set<String>) throws -> Set<Reply> {
        var input = LinkBuffer()
        input.write(bytes)
        var result = Set<Reply>()
        while !input.isEmpty {
            guard case .frame(let frame) = try FrameDecoder(limits: WireLimits()).next(&input)
            else {
                throw MissingRecording(path: "a whole frame")
            }
            // Control frames say when a server ends, not what it answers.
            if frame.transport == .ttHeaderFramed, frame.header.sequenceID == 0 { continue }
            let message = try WireMessage(parsing: frame.payload)
            let pairs =
                frame.header.strings.map { [$0.key, $0.value] }
                + frame.header.integers.map { ["#\($0.key)", $0.value] }
            result.insert(
                Reply(
                    transport: frame.transport,
                    type: message.type,
                    method: message.method,
                    sequenceID: message.sequenceID,
                    body: Array(message.body),
                    pairs: Set(pairs.filter { !ignoring.contains($0[0]) })
                )
            )
        }
        return result
    }

    @Test("our server answers recorded clients as Kitex did", arguments: Recording.names)
    func answers(name: String) async throws {
        let fixture = try Fixture()
        let received = try await RawPeer(fixture).exchange(Recording(name, "c2s").bytes)
        // Without its optional handlers a Go server sends neither the message type nor the business
        // status; ours always does. And ours keeps the connection where Go's says that it closes.
        var ignored: Set<String> = ["crrst"]
        if name.hasSuffix("nohandlers") {
            ignored.formUnion(["#22", "biz-status", "biz-message", "biz-extra"])
        }
        let ours = try replies(received, ignoring: ignored)
        if name == "mux-late" {
            // Go lets a handler run on after its caller's deadline; ours is cancelled by then.
            #expect(ours.map(\.type) == [.exception])
            return await fixture.stop()
        }
        let theirs = try replies(Recording(name, "s2c").bytes, ignoring: ignored)
        #expect(ours == theirs)
        await fixture.stop()
    }
}
