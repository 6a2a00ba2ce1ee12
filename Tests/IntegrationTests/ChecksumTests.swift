import NetpollCore
import NetpollProtobuf
import TestProtos
import TestSupport
import Testing

@testable import NetpollRPC

@Suite("Checksums over real sockets", .timeLimit(.minutes(2)))
struct ChecksumCallTests {
    private func server(_ checksum: PayloadChecksum) throws -> Fixture {
        var options = RPCServerOptions()
        options.checksum = checksum
        return try Fixture(options: options)
    }

    private func client(_ fixture: Fixture, _ checksum: PayloadChecksum) throws -> Echo_EchoClient {
        var options = RPCClientOptions()
        options.checksum = checksum
        options.timeout = .seconds(20)
        return Echo_EchoClient(
            try RPCClient(to: fixture.address, options: options, group: fixture.loops)
        )
    }

    @Test(
        "a call succeeds unless one side requires what the other does not send",
        arguments: [PayloadChecksum.off, .sent, .required],
        [PayloadChecksum.off, .sent, .required]
    )
    func combinations(ofServer: PayloadChecksum, ofClient: PayloadChecksum) async throws {
        let fixture = try server(ofServer)
        let echo = try client(fixture, ofClient)
        let text = String(repeating: "x", count: 100_000)
        let clientIsRefused = ofServer == .required && ofClient == .off
        let serverIsRefused = ofClient == .required && ofServer == .off
        if clientIsRefused || serverIsRefused {
            let error = await #expect(throws: RPCError.self) {
                try await echo.echo(.with { $0.msg = text })
            }
            #expect(error?.code == (clientIsRefused ? .unavailable : .protocolViolation))
        } else {
            #expect(try await echo.echo(.with { $0.msg = text }).msg == text)
            // Exceptions and business errors have checksums too.
            let failure = await #expect(throws: RPCError.self) { try await echo.fail(.init()) }
            #expect(failure?.code == .internalError)
            await #expect(throws: BusinessError.self) {
                try await echo.echo(.with { $0.action = "biz" })
            }
        }
        await fixture.stop()
    }

    private func request(_ hasChecksum: Bool) throws -> [UInt8] {
        let method = MethodDescriptor(service: "Echo", package: "echo", name: "Echo")
        let head = FrameHead(
            transport: .ttHeaderFramed,
            type: .call,
            sequenceID: 1,
            method: method.wireName,
            template: method.requestTemplate,
            hasChecksum: hasChecksum
        )
        let byteCount = try FrameEncoder.byteCount(of: head, bodyByteCount: 0, limits: WireLimits())
        var output = LinkBuffer()
        let body = FrameEncoder.append(head, byteCount: byteCount, to: &output)
        FrameEncoder.finish(head, byteCount: byteCount, body: body, in: &output)
        return output.readArray(byteCount) ?? []
    }

    @Test("a request whose payload was changed ends its connection without an answer")
    func changedRequest() async throws {
        let fixture = try server(.off)
        var bytes = try request(true)
        let whole = try await RawPeer(fixture).exchange(bytes)
        #expect(!whole.isEmpty)
        bytes[bytes.count - 1] ^= 1
        // The peer keeps its direction open: it is the server that closes.
        let answer = try await RawPeer(fixture).exchange(bytes, endsOutput: false)
        #expect(answer.isEmpty)
        #expect(try await fixture.echo().echo(.with { $0.msg = "next" }).msg == "next")
        await fixture.stop()
    }

    @Test("a request without the required checksum ends its connection, on Framed too")
    func missing() async throws {
        let fixture = try server(.required)
        let answer = try await RawPeer(fixture).exchange(request(false), endsOutput: false)
        #expect(answer.isEmpty)
        let framed = try Recording("framed-echo", "c2s").bytes
        let framedAnswer = try await RawPeer(fixture).exchange(framed, endsOutput: false)
        #expect(framedAnswer.isEmpty)
        await fixture.stop()
    }
}
