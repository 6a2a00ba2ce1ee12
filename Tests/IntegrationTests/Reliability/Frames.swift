import NetpollCore
import NetpollProtobuf
import TestProtos
import TestSupport
import Testing

@testable import NetpollRPC

extension Fixture {
    /// The server's port.
    var port: Int { address.port }

    /// That a new client of the server gets its answer.
    func expectService(_ comment: Comment? = nil) async throws {
        let reply = try await echo().echo(.with { $0.msg = "still here" })
        #expect(reply.msg == "still here", comment)
    }
}

extension SocketAddress {
    /// The port of a TCP address.
    var port: Int {
        if case .tcp(_, let port) = self { port } else { -1 }
    }

    /// A port of this machine.
    static func local(_ port: Int) -> SocketAddress { .tcp(host: "127.0.0.1", port: port) }
}

/// Frames of the echo service, as a client that does not multiplex sends them.
enum Frames {
    /// A request to `Echo` with a message of so many bytes.
    static func echo(
        _ sequenceID: Int32 = 7,
        messageByteCount: Int = 5,
        timeout: Int? = nil,
        flags: UInt16 = 0
    ) throws -> [UInt8] {
        let message = String(repeating: "m", count: messageByteCount)
        return request(
            "Echo",
            sequenceID,
            try Echo_EchoRequest.with { $0.msg = message }.serializedBytes(),
            timeout: timeout,
            flags: flags
        )
    }

    /// A request to `Sleep`.
    static func sleep(_ milliseconds: Int64, _ sequenceID: Int32 = 7) throws -> [UInt8] {
        request(
            "Sleep",
            sequenceID,
            try Echo_SleepRequest.with { $0.millis = milliseconds }.serializedBytes()
        )
    }

    private static func request(
        _ name: String,
        _ sequenceID: Int32,
        _ body: [UInt8],
        timeout: Int? = nil,
        flags: UInt16 = 0
    ) -> [UInt8] {
        let method = MethodDescriptor(service: "Echo", package: "echo", name: name)
        let head = FrameHead(
            transport: .ttHeaderFramed,
            flags: flags,
            type: .call,
            sequenceID: sequenceID,
            method: method.wireName,
            template: method.requestTemplate,
            timeoutMilliseconds: timeout
        )
        var output = LinkBuffer()
        // These are far within the limits.
        let byteCount =
            (try? FrameEncoder.byteCount(
                of: head,
                bodyByteCount: body.count,
                limits: WireLimits()
            )) ?? 0
        let target = FrameEncoder.append(head, byteCount: byteCount, to: &output)
        UnsafeMutableRawBufferPointer(start: target, count: body.count).copyBytes(from: body)
        FrameEncoder.finish(head, byteCount: byteCount, body: target, in: &output)
        return output.readArray(byteCount) ?? []
    }
}

/// What a server sent back in one frame.
struct Answer {
    let sequenceID: Int32
    let type: WireFormat.MessageType
    let isLast: Bool
    /// What the exception says, if it is one.
    let error: RPCError?
    let body: [UInt8]

    init(_ bytes: [UInt8]) throws {
        var input = LinkBuffer()
        input.write(bytes)
        guard case .frame(let frame) = try FrameDecoder(limits: WireLimits()).next(&input) else {
            throw RawSocketError(call: "a whole frame", number: 0)
        }
        let message = try WireMessage(parsing: frame.payload)
        sequenceID = message.sequenceID
        type = message.type
        isLast = frame.header.isConnectionReset
        body = Array(message.body)
        error =
            type == .exception
            ? RPCError(WireException(parsing: message.body), frame.header) : nil
    }
}

extension RawSocket {
    /// Receives the answer to one request.
    func receiveAnswer() throws -> Answer { try Answer(receiveFrame()) }

    /// Receives one frame, whatever is in it.
    func receiveFrame() throws -> [UInt8] {
        let prefix = try receive(count: 4)
        guard prefix.count == 4 else { return prefix }
        let length = prefix.reduce(0) { $0 << 8 | Int($1) }
        return prefix + (try receive(count: length))
    }
}

/// Yields until something is true, or fails after a generous time.
func eventually(_ what: String, _ condition: () -> Bool) async throws {
    let end = Deadline.after(.seconds(30))
    while !condition() {
        try #require(Deadline.now() < end, "never happened: \(what)")
        await Task.yield()
    }
}

extension FrameDecoder {
    /// The next frame of a connection that remembers nothing.
    func next(_ input: inout LinkBuffer) throws(WireError) -> Result {
        var headers = HeaderMemo()
        return try next(&input, &headers)
    }
}
