import GRPCCore
import GRPCNIOTransportHTTP2
import GRPCProtobuf
import Glibc
import NIOPosix

/// Answers calls of `echo.Echo/Echo` until the process ends.
func serve(port: Int, loops: Int) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
    let server = GRPCServer(
        transport: .http2NIOPosix(
            address: .ipv4(host: "127.0.0.1", port: port),
            transportSecurity: .plaintext,
            eventLoopGroup: group
        ),
        services: [EchoService()]
    )
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask(executorPreference: LoopExecutor(group)) { try await server.serve() }
        _ = try await server.listeningAddress
        print("grpc-peer: ready on tcp://127.0.0.1:\(port), \(loops) loops")
        fflush(nil)
        try await tasks.waitForAll()
    }
}

let echoMethod = MethodDescriptor(
    service: ServiceDescriptor(fullyQualifiedService: "echo.Echo"),
    method: "Echo"
)

private struct EchoService: RegistrableRPCService {
    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.registerHandler(
            forMethod: echoMethod,
            deserializer: ProtobufDeserializer<Echo_EchoRequest>(),
            serializer: ProtobufSerializer<Echo_EchoResponse>()
        ) { request, _ in
            let message = try await ServerRequest(stream: request).message
            let reply = Echo_EchoResponse.with {
                $0.action = message.action
                $0.msg = message.msg
            }
            return StreamingServerResponse(single: ServerResponse(message: reply))
        }
    }
}
