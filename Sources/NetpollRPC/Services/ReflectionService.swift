internal import NetpollCore
internal import NetpollProtobuf

/// Tells clients which services and methods the server has, and in which shape:
/// `Protos/netpoll/reflection.proto`.
///
/// ```swift
/// let server = RPCServer(services: [Greeter(), ReflectionService()])
/// ```
///
/// Names come from the server, descriptors from the generated code of its services, which carries
/// them unless `rpc-gen generate --no-descriptors` has left them out. They are decoded when somebody
/// first asks. Who may call a server may see them. On the wire the service is called `Reflection`,
/// without a package. Any thread.
public final class ReflectionService: ServerObserver, Sendable {
    private struct State {
        var services: [ServedService] = []
        /// Made when somebody first asks.
        var index: DescriptorIndex?
    }

    private let extraFiles: [Google_Protobuf_FileDescriptorProto]
    private let state = Locked(State())

    /// Creates a service that hands out the descriptors that the server's services carry.
    public init() { extraFiles = [] }

    /// Creates a service that hands out more descriptors.
    ///
    /// - Parameter descriptorSet: An encoded `google.protobuf.FileDescriptorSet`, for instance by
    ///   `rpc-gen descriptor-set --include-imports`. Its files count more than those of the same
    ///   names that services carry.
    /// - Throws: ``RPCError`` with code `invalidArgument` when it cannot be decoded.
    public init(descriptorSet: [UInt8]) throws {
        do {
            extraFiles = try Google_Protobuf_FileDescriptorSet(serializedBytes: descriptorSet).file
        } catch {
            throw RPCError(.invalidArgument, "the descriptor set cannot be read", cause: error)
        }
    }

    /// Learns what there is to tell.
    public func serverWillStart(_ services: [ServedService]) {
        state.withLock { $0 = State(services: services) }
    }

    private var index: DescriptorIndex {
        get throws {
            let (known, services) = state.withLock { ($0.index, $0.services) }
            if let known { return known }
            let carried = Set(services.compactMap(\.fileDescriptors)).flatMap { $0.decoded() }
            let index = try DescriptorIndex(extraFiles + carried)
            state.withLock { $0.index = index }
            return index
        }
    }
}

extension ReflectionService: Netpoll_Reflection_V1_ReflectionService {
    /// All services of the server with their methods.
    ///
    /// - Throws: Nothing.
    public func listServices(
        _ request: Netpoll_Reflection_V1_ListServicesRequest,
        context: RPCContext
    ) async throws -> Netpoll_Reflection_V1_ListServicesReply {
        let services = state.withLock { $0.services }
        return .with { reply in
            reply.services = services.map { service in
                .with {
                    $0.name = service.name
                    $0.methods = service.methods
                }
            }
        }
    }

    /// The descriptors of a file or of what declares a symbol, with all that they import.
    ///
    /// - Throws: ``RPCError`` with code `invalidArgument` for a name of which there is no descriptor.
    public func getDescriptors(
        _ request: Netpoll_Reflection_V1_GetDescriptorsRequest,
        context: RPCContext
    ) async throws -> Netpoll_Reflection_V1_GetDescriptorsReply {
        let files: [[UInt8]]?
        let index = try index
        switch request.target {
        case .file(let name): files = index.files(upTo: name)
        case .symbol(let name): files = index.files(declaring: name)
        case nil: throw RPCError(.invalidArgument, "neither a file nor a symbol is named")
        }
        guard let files else {
            throw RPCError(.invalidArgument, "no descriptor of \(request.file)\(request.symbol)")
        }
        return .with { $0.files = files }
    }
}
