import NetpollCore
import NetpollProtobuf
import TestProtos
import Testing

@testable import NetpollRPC

@Suite("Token interceptors")
struct TokenInterceptorTests {
    private func serve(_ server: ServerTokenInterceptor, _ metadata: Metadata) async throws {
        _ = try await server.intercept(
            Echo_EchoRequest(),
            Calls.context(metadata: metadata)
        ) { _, _ in Echo_EchoResponse() }
    }

    @Test("the client's token opens the server, under the default key and under another")
    func match() async throws {
        for key in [AccessToken.defaultKey, "x-token"] {
            let client = ClientTokenInterceptor(AccessToken("s3cret"), key: key)
            let server = ServerTokenInterceptor(
                key: key,
                accepting: [AccessToken("old"), AccessToken("s3cret")]
            )
            _ = try await client.intercept(Calls.client(metadata: [key: "mine"])) { call in
                try await serve(server, call.options.metadata)
                return ClientReply(message: Echo_EchoResponse())
            }
        }
    }

    @Test(
        "any other token fails with a typed error that says not to try again",
        arguments: [nil, "", "s3cre", "s3cret!", "S3cret", "s3crets3cret"]
    )
    func refusal(token: String?) async throws {
        let server = ServerTokenInterceptor(accepting: [AccessToken("s3cret"), AccessToken("")])
        var metadata = Metadata()
        metadata[AccessToken.defaultKey] = token
        let error = await #expect(throws: RPCError.self) { try await serve(server, metadata) }
        #expect(error?.code == .unauthenticated && error?.retry == .never)
        #expect(error?.message.contains("s3cret") == false)
    }

    @Test("without tokens nobody passes")
    func none() async throws {
        let server = ServerTokenInterceptor(accepting: [])
        await #expect(throws: RPCError.self) {
            try await serve(server, [AccessToken.defaultKey: ""])
        }
    }

    @Test("the code survives the wire")
    func wire() throws {
        let error = RPCError(.unauthenticated, "no", exceptionID: 6, retry: .never)
        let head = FrameHead(
            transport: .ttHeaderFramed,
            type: .exception,
            sequenceID: 1,
            method: [0x41],
            template: HeaderTemplate(),
            strings: error.headerPairs
        )
        let frame = try #require(
            try decodeAll(encode(head, body: error.wireException.bytes)).first
        )
        let message = try WireMessage(parsing: frame.payload)
        let received = RPCError(WireException(parsing: message.body), frame.header)
        #expect(received.code == .unauthenticated && received.retry == .never)
    }

    @Test("a token's descriptions and mirror hide it")
    func hidden() {
        let token = AccessToken("s3cret")
        var dumped = ""
        dump(token, to: &dumped)
        for text in ["\(token)", String(reflecting: token), dumped] {
            #expect(!text.contains("s3cret"))
        }
    }
}
