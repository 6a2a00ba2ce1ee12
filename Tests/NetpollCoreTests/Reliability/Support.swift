import TestSupport
import Testing

@testable import NetpollCore

extension EventLoop {
    /// Calls a closure on the loop and returns what it returns.
    func call<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            execute { continuation.resume(returning: body()) }
        }
    }

    /// What the loop's thread has used so far.
    func usage() async -> ProcessState.ThreadUsage { await call { ProcessState.threadUsage } }

    /// Lets the loop go on by itself for some time and returns what it used meanwhile.
    func usage(during time: Duration) async throws -> (milliseconds: Int, sleeps: Int) {
        let before = await usage()
        // The loop's own timer: `Task.sleep` may need a descriptor where there is none.
        try await sleep(until: .after(time))
        let after = await usage()
        return (after.milliseconds - before.milliseconds, after.sleeps - before.sleeps)
    }
}

extension SocketAddress {
    /// The port of a TCP address.
    var port: Int {
        if case .tcp(_, let port) = self { port } else { -1 }
    }
}

/// A connection whose other side is a raw socket, and what it needs to live.
struct RawPair {
    let group: EventLoopGroup
    let connection: Connection
    let raw: RawSocket

    init(
        options: ConnectionOptions = ConnectionOptions(),
        prepare: @escaping @Sendable (RawSocket) -> Void = { _ in }
    ) async throws {
        group = try EventLoopGroup(count: 1)
        let accepted = Waiter<Connection>()
        var listenerOptions = ListenerOptions()
        listenerOptions.connection = options
        let listener = try Listener(
            on: .tcp(host: "127.0.0.1", port: 0),
            group: group,
            options: listenerOptions
        ) { connection in
            accepted.finish(.success(connection))
            return nil
        }
        let port = listener.localAddress.port
        raw = try await blocking {
            let raw = try RawSocket(port: port, receiveBuffer: 1 << 16)
            prepare(raw)
            return raw
        }
        connection = try await accepted.wait(begin: {}, onCancel: {})
        await listener.close()
    }

    func end() async {
        connection.abort()
        raw.close()
        await group.shutdown()
    }
}
