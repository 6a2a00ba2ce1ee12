import NetpollCore
import NetpollProtobuf
import NetpollRPC

struct Greeter: Demo_GreeterService {
    func hello(_ request: Demo_HelloRequest, context: RPCContext) async throws -> Demo_HelloReply {
        .with { $0.text = "hello \(request.name)" }
    }
}

@main
struct Hello {
    static func main() async throws {
        let address = SocketAddress.tcp(host: "127.0.0.1", port: 8888)
        let server = RPCServer(services: [Greeter()])
        try server.start(on: [address])  // or: try await server.run(on: address)

        let greeter = Demo_GreeterClient(try RPCClient(to: address))
        let reply = try await greeter.hello(.with { $0.name = "Ada" }, timeout: .milliseconds(200))
        print(reply.text)
        await server.shutdown()
    }
}
