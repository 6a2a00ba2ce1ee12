internal import NetpollCore

extension RPCClient {
    /// Creates a client of a server in the same process.
    ///
    /// Its connections are joined to the server's in memory: no socket, no address, the same frames,
    /// sessions, limits and deadlines. It uses the loops of the server and ends with it: then its
    /// calls fail with `unavailable`.
    ///
    /// - Parameters:
    ///   - server: The server; one that was not started yet is, without an address.
    ///   - interceptors: What runs around every call, the outermost first.
    ///   - options: Connections, timeouts and limits.
    /// - Throws: As ``RPCServer/start(on:)``; ``RPCError`` with code `unavailable` when the server
    ///   has been shut down.
    public convenience init(
        inProcess server: RPCServer,
        interceptors: [any ClientInterceptor] = [],
        options: RPCClientOptions = RPCClientOptions()
    ) throws {
        if server.isNew { try server.start(on: []) }
        guard let group = server.runningGroup else {
            throw RPCError(.unavailable, "the server has been shut down")
        }
        self.init(
            address: .unix(path: ""),
            interceptors: interceptors,
            options: options,
            group: group
        ) { completion in
            do throws(NetpollError) {
                let connection = try server.connectInProcess(options.connection)
                connection.begin { connection in
                    let session = ClientSession(connection, options: options)
                    completion(.success(session))
                    return session
                }
            } catch {
                completion(.failure(error))
            }
        }
    }
}
