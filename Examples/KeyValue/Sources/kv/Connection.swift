import ArgumentParser
import KeyValueAPI
import NetpollCore
import NetpollRPC

/// How to reach the service.
struct Connection: ParsableArguments {
    @Option(help: "The server: tcp://HOST:PORT or unix:///PATH.")
    var connect: String
    @Option(help: "How long a call may take, in seconds.")
    var timeout = 5.0
    @Option(help: "The namespace of the keys.")
    var namespace = "default"
    @Option(help: "What the server's log shall call this call.")
    var requestID: String?

    func validate() throws {
        guard timeout > 0, timeout <= 86_400 else {
            throw ValidationError("--timeout is more than 0 and at most 86400 seconds")
        }
    }

    /// Makes calls, and closes the connection after them.
    func call<R>(
        _ body: (_ service: Kv_KeyValueClient, _ options: CallOptions) async throws -> R
    ) async throws -> R {
        let address: SocketAddress
        do {
            address = try SocketAddress(parsing: connect)
        } catch {
            throw ValidationError("\(error)")
        }
        var clientOptions = RPCClientOptions()
        clientOptions.timeout = .seconds(timeout)
        clientOptions.connections = .multiplexed(count: 1)
        clientOptions.serviceName = "kv"
        let client = try RPCClient(to: address, options: clientOptions)
        var options = CallOptions()
        options.persistentMetadata[CallMetadata.namespace] = namespace
        options.metadata[CallMetadata.requestID] = requestID
        do {
            let result = try await body(Kv_KeyValueClient(client), options)
            await client.close()
            return result
        } catch {
            await client.close()
            throw error
        }
    }
}
