import NetpollCore
import NetpollProtobuf
import NetpollTesting
import TestProtos
import Testing

@testable import NetpollRPC

@Suite("Services that come with the toolkit", .timeLimit(.minutes(2)))
struct BuiltInTests {
    private func status(
        _ client: Grpc_Health_V1_HealthClient,
        _ service: String = ""
    ) async throws -> Grpc_Health_V1_HealthCheckResponse.ServingStatus {
        try await client.check(.with { $0.service = service }).status
    }

    @Test("health tells of the server and each service, and what the program sets")
    func health() async throws {
        let health = HealthService()
        let fixture = try HandlerFixture(more: [health]) { _, _ in "" }
        let client = Grpc_Health_V1_HealthClient(try fixture.client())
        for name in ["", "echo.Echo", "grpc.health.v1.Health"] {
            #expect(try await status(client, name) == .serving)
        }
        health.setStatus(.notServing, for: "echo.Echo")
        #expect(try await status(client, "echo.Echo") == .notServing)
        #expect(try await status(client) == .serving)
        let error = await #expect(throws: RPCError.self) { try await status(client, "Nope") }
        #expect(error?.code == .invalidArgument)
        health.setStatus(.notServing, for: "Nope")
        #expect(try await status(client, "Nope") == .notServing)
        await fixture.stop()
    }

    @Test("a server that drains is not serving, whatever was set")
    func draining() async throws {
        let health = HealthService()
        let gate = Gate()
        let fixture = try HandlerFixture(more: [health]) { _, _ in
            await gate.wait()
            return ""
        }
        let client = try fixture.client()
        let echo = Echo_EchoClient(client)
        let call = Task { try await echo.echo(.init()) }
        try await eventually("the call runs") { fixture.server.callCount == 1 }
        let server = fixture.server
        let shutdown = Task { await server.shutdown() }
        try await eventually("it drains") { health.status() == .notServing }
        health.setStatus(.serving, for: "echo.Echo")
        // The connection is still open, because a call is in flight on it.
        let answer = try await status(Grpc_Health_V1_HealthClient(client), "echo.Echo")
        #expect(answer == .notServing)
        gate.open()
        _ = try await call.value
        await shutdown.value
        await fixture.loops.shutdown()
    }

    @Test("reflection lists services and hands out descriptors with what they import")
    func reflection() async throws {
        let set = Google_Protobuf_FileDescriptorSet.with {
            $0.file = [
                .with {
                    $0.name = "base.proto"
                    $0.package = "echo"
                    $0.messageType = [.with { $0.name = "EchoRequest" }]
                },
                .with {
                    $0.name = "echo.proto"
                    $0.package = "echo"
                    $0.dependency = ["base.proto"]
                    $0.service = [.with { $0.name = "Echo" }]
                },
            ]
        }
        let service = try ReflectionService(descriptorSet: set.serializedBytes())
        let fixture = try HandlerFixture(more: [service]) { _, _ in "" }
        let client = Netpoll_Reflection_V1_ReflectionClient(try fixture.client())
        let services = try await client.listServices(.init()).services
        #expect(services.map(\.name) == ["echo.Echo", "netpoll.reflection.v1.Reflection"])
        #expect(services.first?.methods == ["Echo", "Fail", "Sleep"])
        let files = try await client.getDescriptors(.with { $0.symbol = "echo.Echo" }).files
        let names = try files.map {
            try Google_Protobuf_FileDescriptorProto(serializedBytes: $0).name
        }
        #expect(names == ["base.proto", "echo.proto"])
        #expect(try await client.getDescriptors(.with { $0.file = "base.proto" }).files.count == 1)
        for request: Netpoll_Reflection_V1_GetDescriptorsRequest in [
            .init(), .with { $0.symbol = "echo.Nope" }, .with { $0.file = "nope" },
        ] {
            let error = await #expect(throws: RPCError.self) {
                try await client.getDescriptors(request)
            }
            #expect(error?.code == .invalidArgument)
        }
        await fixture.stop()
    }

    @Test("services carry the descriptors of their files, and reflection finds them there")
    func carried() async throws {
        let more: [any RPCService] = [ReflectionService(), HealthService(), Bare()]
        let fixture = try HandlerFixture(more: more) { _, _ in "" }
        let client = Netpoll_Reflection_V1_ReflectionClient(try fixture.client())
        #expect(try await client.listServices(.init()).services.count == 4)
        for (symbol, file) in [
            ("echo.Echo", "echo.proto"), ("echo.EchoRequest", "echo.proto"),
            ("grpc.health.v1.Health.Check", "grpc/health/v1/health.proto"),
        ] {
            let files = try await client.getDescriptors(.with { $0.symbol = symbol }).files
            let decoded = try files.map {
                try Google_Protobuf_FileDescriptorProto(serializedBytes: $0)
            }
            #expect(decoded.map(\.name) == [file])
            #expect(decoded.allSatisfy { !$0.service.isEmpty && !$0.hasSourceCodeInfo })
        }
        await #expect(throws: RPCError.self) {
            try await client.getDescriptors(.with { $0.symbol = "bare.Bare" })
        }
        await fixture.stop()
    }

    /// A service that was written by hand and carries nothing.
    private struct Bare: RPCService {
        static var serviceDescriptor: ServiceDescriptor { .init(package: "bare", name: "Bare") }
        func registerMethods(with registrar: inout MethodRegistrar) {}
    }

    @Test("descriptors that are given count more than those carried; broken ones are refused")
    func given() async throws {
        #expect(throws: RPCError.self) { try ReflectionService(descriptorSet: [0xFF, 0xFF]) }
        let set = Google_Protobuf_FileDescriptorSet.with {
            $0.file = [.with { $0.name = "echo.proto" }]
        }
        let service = try ReflectionService(descriptorSet: set.serializedBytes())
        let fixture = try HandlerFixture(more: [service]) { _, _ in "" }
        let client = Netpoll_Reflection_V1_ReflectionClient(try fixture.client())
        let files = try await client.getDescriptors(.with { $0.file = "echo.proto" }).files
        #expect(files == [try set.file[0].serializedBytes()])
        await fixture.stop()
    }
}
