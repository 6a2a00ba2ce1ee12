public import NetpollCore
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
    @usableFromInline var methods: [String: MethodHandler] = [:]
    @usableFromInline let interceptors: [any ServerInterceptor]

    init(interceptors: [any ServerInterceptor] = []) { self.interceptors = interceptors }

    /// Adds a method.
    ///
    /// Inlined into the service's module, so that its messages are decoded and encoded by code of
    /// their own.
    ///
    /// - Parameters:
    ///   - name: The method's name in the `.proto` file; the last registration of a name counts.
    ///   - handler: Serves one call; ``RPCServerOptions/execution`` says where. On an event loop it
    ///     must not hold its thread.
    @inlinable
    public mutating func register<Request: Message, Response: Message>(
        _ name: String,
        _ handler: @escaping @Sendable (Request, RPCContext) async throws -> Response
    ) {
        var handler = handler
        for interceptor in interceptors.reversed() {
            handler = { [handler] in try await interceptor.intercept($0, $1, next: handler) }
        }
        let intercepted = handler
        @Sendable nonisolated(nonsending) func serve(_ call: ServerCall) async {
            let request: Request
            do throws(ProtobufError) {
                request = try call.body.withUnsafeBytes { (bytes) throws(ProtobufError) in
                    try Request(serializedBytes: bytes)
                }
            } catch {
                return call.fail(undecodable: error)
            }
            do {
                let response = try await intercepted(request, call.context)
                try response.withSerialization { serialization in
                    call.reply(bodyByteCount: serialization.byteCount) {
                        serialization.write(to: $0)
                    }
                }
            } catch {
                call.fail(error)
            }
        }
        methods[name] = MethodHandler(serve)
    }
}

/// A method with its message types erased: decodes, runs the handler and answers.
@usableFromInline
struct MethodHandler: Sendable {
    let serve: @Sendable (_ call: ServerCall) async -> Void

    @usableFromInline
    init(_ serve: @escaping @Sendable (_ call: ServerCall) async -> Void) { self.serve = serve }
}
