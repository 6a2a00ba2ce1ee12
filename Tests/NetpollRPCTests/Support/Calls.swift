import NetpollCore
import NetpollProtobuf
import Synchronization
import TestProtos

@testable import NetpollRPC

/// What tests of interceptors call with.
enum Calls {
    static let method = MethodDescriptor(service: "Echo", package: "echo", name: "Echo")
    static let peer = SocketAddress.tcp(host: "10.0.0.9", port: 4711)

    static func client(metadata: Metadata = Metadata()) -> ClientCall<Echo_EchoRequest> {
        var options = CallOptions()
        options.metadata = metadata
        return ClientCall(
            method: method,
            request: .with { $0.msg = "hi" },
            deadline: .distantFuture,
            options: options
        )
    }

    static func context(metadata: Metadata = Metadata(), method: String = "Echo") -> RPCContext {
        RPCContext(
            service: Self.method.service,
            method: method,
            deadline: .distantFuture,
            metadata: metadata,
            persistentMetadata: Metadata(),
            transport: .ttHeaderFramed,
            peer: .address(peer)
        )
    }

    /// The reply to a client call, after noting the call.
    static func answer(_ call: ClientCall<Echo_EchoRequest>) async throws
        -> ClientReply<Echo_EchoResponse>
    {
        ClientReply(message: .with { $0.msg = call.request.msg })
    }
}

/// A clock that moves on by a fixed time whenever it is looked at.
final class StepClock: Sendable {
    private let time = Atomic<UInt64>(1_000_000_000)
    private let step: UInt64

    init(step: UInt64) { self.step = step }

    var now: @Sendable () -> Deadline {
        { [self] in
            Deadline(uptimeNanoseconds: time.add(step, ordering: .relaxed).newValue)
        }
    }
}

/// An error that this toolkit knows nothing of.
struct StrangeError: Error {}
