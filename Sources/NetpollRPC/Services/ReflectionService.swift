internal import NetpollCore
internal import NetpollProtobuf

/// Tells clients which services and methods the server has and, from a descriptor set, in which
/// shape: `Protos/netpoll/reflection.proto`.
///
/// ```swift
/// let server = RPCServer(services: [Greeter(), ReflectionService()])
/// ```
///
/// Names come from the server. Descriptors come from what
/// `rpc-gen descriptor-set --include-imports` writes; without it, asking for one is an error. Who
/// may call a server may see them. On the wire the service is called `Reflection`, without a
/// package. Any thread.
public final class ReflectionService: ServerObserver, Sendable {
    private let index: DescriptorIndex
    private let services = Locked<[ServedService]>([])

    /// Creates a service that tells names.
    public init() { index = DescriptorIndex() }

    /// Creates a service that hands out descriptors too.
    ///
    /// - Parameter descriptorSet: An encoded `google.protobuf.FileDescriptorSet`.
    /// - Throws: ``RPCError`` with code `invalidArgument` when it cannot be decoded.
    public init(descriptorSet: [UInt8]) throws {
        do {
            let set = try Google_Protobuf_FileDescriptorSet(serializedBytes: descriptorSet)
            index = try DescriptorIndex(set.file)
        } catch {
            throw RPCError(.invalidArgument, "the descriptor set cannot be read", cause: error)
        }
    }

    /// Learns what there is to tell.
    public func serverWillStart(_ services: [ServedService]) {
        self.services.withLock { $0 = services }
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
        let services = services.withLock { $0 }
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
    /// - Throws: ``RPCError`` with code `invalidArgument` for a name that is not in the descriptor
    ///   set.
    public func getDescriptors(
        _ request: Netpoll_Reflection_V1_GetDescriptorsRequest,
        context: RPCContext
    ) async throws -> Netpoll_Reflection_V1_GetDescriptorsReply {
        let files: [[UInt8]]?
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
