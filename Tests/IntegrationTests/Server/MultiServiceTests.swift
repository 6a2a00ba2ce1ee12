import NetpollCore
import NetpollProtobuf
import TestProtos
import TestSupport
import Testing

@testable import NetpollRPC

@Suite("Several services on one port", .timeLimit(.minutes(2)))
struct MultiServiceTests {
    private struct Alpha: RPCService {
        static var serviceDescriptor: ServiceDescriptor { .init(package: "demo", name: "Alpha") }
        func registerMethods(with registrar: inout MethodRegistrar) {
            registrar.register("Common") { (_: Echo_EchoRequest, _) -> Echo_EchoResponse in
                .with { $0.msg = "alpha" }
            }
        }
    }

    private struct Beta: RPCService {
        static var serviceDescriptor: ServiceDescriptor { .init(package: "demo", name: "Beta") }
        func registerMethods(with registrar: inout MethodRegistrar) {
            for method in ["Common", "OnlyBeta"] {
                registrar.register(method) { (_: Echo_EchoRequest, _) -> Echo_EchoResponse in
                    .with { $0.msg = "beta" }
                }
            }
        }
    }

    /// What a request names, and who answers or with what exception.
    struct Case: Sendable {
        let service: String?
        let method: String
        let answer: String
    }

    private static let cases = [
        Case(service: "Alpha", method: "Common", answer: "alpha"),
        Case(service: "Beta", method: "Common", answer: "beta"),
        Case(service: "demo.Beta", method: "Common", answer: "beta"),
        Case(service: nil, method: "Common", answer: "alpha"),
        Case(service: nil, method: "OnlyBeta", answer: "beta"),
        Case(service: "Gone", method: "OnlyBeta", answer: "beta"),
        Case(
            service: "Gone",
            method: "Common",
            answer: "20 unknown service Gone, method Common"
        ),
        Case(service: nil, method: "Nope", answer: "20 unknown service , method Nope"),
        Case(
            service: "Alpha",
            method: "OnlyBeta",
            answer: "1 unknown method OnlyBeta (service Alpha)"
        ),
    ]

    private func exchange(_ frames: [[UInt8]]) async throws -> [Answer] {
        let loops = try EventLoopGroup(count: 1)
        let server = RPCServer(services: [Alpha(), Beta()], group: loops)
        let port = try server.start(on: [.tcp(host: "127.0.0.1", port: 0)])[0].port
        let answers = try await blocking {
            let raw = try RawSocket(port: port)
            // One after the other, as a client that does not multiplex.
            return try frames.map { frame in
                try raw.send(frame)
                return try raw.receiveAnswer()
            }
        }
        await server.shutdown()
        await loops.shutdown()
        return answers
    }

    private func words(_ answer: Answer) throws -> String {
        guard answer.type == .exception else {
            return try Echo_EchoResponse(serializedBytes: answer.body).msg
        }
        let exception = WireException(parsing: BufferSlice(copying: answer.body))
        return "\(exception.typeID) \(exception.message)"
    }

    @Test("the service that a request names is found in Kitex's order")
    func order() async throws {
        let frames = Self.cases.map { RefusedCallTests.request($0.service, $0.method) }
        for (wanted, answer) in zip(Self.cases, try await exchange(frames)) {
            #expect(try words(answer) == wanted.answer, "\(wanted)")
            #expect(answer.sequenceID == 9)
        }
    }

    @Test("Framed names no service: the first that has the method serves")
    func framed() async throws {
        let named = Self.cases.filter { $0.service == nil }
        let frames = named.map { RefusedCallTests.message($0.method) }
        for (wanted, answer) in zip(named, try await exchange(frames)) {
            #expect(try words(answer) == wanted.answer, "\(wanted)")
            // As Kitex, which has not read the id of a method that it does not find.
            #expect(answer.sequenceID == (answer.type == .exception ? 0 : 9))
        }
    }
}
