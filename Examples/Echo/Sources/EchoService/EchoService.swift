import NetpollCore
import NetpollRPC

/// The service of `Protos/echo.proto`.
///
/// `Echo` sends the message back; some values of `action` ask for more:
/// - `meta`: the reply's `msg` lists the metadata that came with the request, and `back=ward`
///   travels back as metadata.
/// - `biz`: a business error with status 1001.
/// - `panic`: the failure that a crashing Go handler would report.
public struct EchoService: Echo_EchoService {
    private let loops: EventLoopGroup

    /// Creates the service; `loops` keep the time for `Sleep`.
    public init(loops: EventLoopGroup) { self.loops = loops }

    /// Sends the message back, or does what `action` asks for.
    public func echo(_ request: Echo_EchoRequest, context: RPCContext) async throws
        -> Echo_EchoResponse
    {
        switch request.action {
        case "meta":
            context.responseMetadata["back"] = "ward"
            return .with {
                $0.action = "meta backward=true"
                $0.msg =
                    (describe("P", context.persistentMetadata) + describe("T", context.metadata))
                    .joined(separator: ";")
            }
        case "biz":
            throw BusinessError(1001, "biz failed", extra: ["k": "v"])
        case "panic":
            let text =
                "[happened in biz handler, method=Echo.Echo, please check the panic at the server side]"
            throw RPCError(.internalError, "panic: \(text) deliberate panic", exceptionID: 6)
        default:
            return .with {
                $0.action = request.action
                $0.msg = request.msg
            }
        }
    }

    /// Fails always.
    public func fail(_ request: Echo_EchoRequest, context: RPCContext) async throws
        -> Echo_EchoResponse
    {
        throw RPCError(.internalError, "deliberate failure")
    }

    /// Answers after some time, unless the caller gives up before.
    public func sleep(_ request: Echo_SleepRequest, context: RPCContext) async throws
        -> Echo_EchoResponse
    {
        try await loops.next().sleep(until: .after(.milliseconds(request.millis)))
        return .with {
            $0.action = "slept"
            $0.msg = "\(request.millis)"
        }
    }

    private func describe(_ kind: String, _ metadata: Metadata) -> [String] {
        metadata.pairs.map { "\(kind):\($0.key)=\($0.value)" }
    }
}
