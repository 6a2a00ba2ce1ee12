internal import NetpollCore
public import NetpollProtobuf

/// Something that serves the methods of one service.
///
/// Generated protocols refine this one.
public protocol RPCService: Sendable {
    /// The service's name.
    static var serviceDescriptor: ServiceDescriptor { get }
    /// The descriptors of the service's file, for ``ReflectionService``; `nil` if it has none.
    static var fileDescriptors: FileDescriptors? { get }
    /// Tells the registrar every method. Generated code implements it.
    func registerMethods(with registrar: inout MethodRegistrar)
}

extension RPCService {
    /// None.
    public static var fileDescriptors: FileDescriptors? { nil }
}

/// Collects the methods of a service for a server.
public struct MethodRegistrar {
    var methods: [String: MethodHandler] = [:]
    private let interceptors: [any ServerInterceptor]

    init(interceptors: [any ServerInterceptor] = []) { self.interceptors = interceptors }

    /// Adds a method.
    ///
    /// - Parameters:
    ///   - name: The method's name in the `.proto` file; the last registration of a name counts.
    ///   - handler: Serves one call; ``RPCServerOptions/execution`` says where. On an event loop it
    ///     must not hold its thread.
    public mutating func register<Request: Message, Response: Message>(
        _ name: String,
        _ handler: @escaping @Sendable (Request, RPCContext) async throws -> Response
    ) {
        var handler = handler
        let observers = interceptors
        for interceptor in interceptors.reversed() {
            handler = { [handler] in try await interceptor.intercept($0, $1, next: handler) }
        }
        methods[name] = MethodHandler { [handler] body, call in
            let request: Request
            do {
                request = try body.withUnsafeBytes { try Request(serializedBytes: $0) }
            } catch {
                let error = RPCError(.invalidArgument, "the request cannot be decoded: \(error)")
                call.fail(error)
                let context = call.context
                let refused = RefusedCall(method: context.fullMethodName, error: error) {
                    context.peerAddress
                }
                for observer in observers { observer.didRefuse(refused) }
                return
            }
            do {
                let response = try await RPCContext.$current.withValue(call.context) {
                    try await handler(request, call.context)
                }
                try response.withSerialization { serialization in
                    call.reply(bodyByteCount: serialization.byteCount) {
                        serialization.write(to: $0)
                    }
                }
            } catch {
                call.fail(error)
            }
        }
    }
}

/// A method with its message types erased: decodes, runs the handler and answers.
struct MethodHandler: Sendable {
    let serve: @Sendable (_ body: BufferSlice, _ call: any ServerCall) async -> Void

    init(_ serve: @escaping @Sendable (BufferSlice, any ServerCall) async -> Void) {
        self.serve = serve
    }
}

/// Where the outcome of one call goes.
///
/// Exactly one of the two is called, once.
protocol ServerCall: Sendable {
    var context: RPCContext { get }
    func reply(bodyByteCount: Int, writeBody: (UnsafeMutableRawPointer) -> Void)
    func fail(_ error: any Error)
}
