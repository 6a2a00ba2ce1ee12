/// Finds the handler of a request by service and method name, in Kitex's order of search.
struct Router: Sendable {
    struct Route: Sendable {
        let service: ServiceDescriptor
        let handler: MethodHandler
    }

    private var services:
        [String: (descriptor: ServiceDescriptor, methods: [String: MethodHandler])] = [:]
    /// The services that have a method, for requests that do not name a service we know.
    private var byMethod: [String: [Route]] = [:]

    /// Collects the services' methods, each with the interceptors around it.
    ///
    /// - Throws: ``RPCError`` with code `invalidArgument` when two services have the same name.
    init(_ list: [any RPCService], interceptors: [any ServerInterceptor] = []) throws {
        for service in list {
            let descriptor = type(of: service).serviceDescriptor
            guard services[descriptor.name] == nil else {
                throw RPCError(
                    .invalidArgument,
                    "two services are called \(descriptor.name); on the wire a service has no package"
                )
            }
            var registrar = MethodRegistrar(interceptors: interceptors)
            service.registerMethods(with: &registrar)
            services[descriptor.name] = (descriptor, registrar.methods)
            if !descriptor.package.isEmpty {
                services[descriptor.fullName] = (descriptor, registrar.methods)
            }
            for (name, handler) in registrar.methods {
                byMethod[name, default: []].append(Route(service: descriptor, handler: handler))
            }
        }
    }

    /// Finds a method; `service` is what the request names, if anything.
    ///
    /// A named service must have the method. Without a name, or with an unknown one, the method's
    /// only owner is taken.
    func route(service: String?, method: String) -> Result<Route, RPCError> {
        if let service, let known = services[service] {
            guard let handler = known.methods[method] else {
                return .failure(
                    RPCError(
                        .unimplemented,
                        "unknown method \(method) (service \(known.descriptor.name))",
                        exceptionID: WireFormat.ExceptionID.unknownMethod
                    )
                )
            }
            return .success(Route(service: known.descriptor, handler: handler))
        }
        let owners = byMethod[method, default: []]
        // Without a name the first owner serves, as in Kitex; a wrong name must be unambiguous.
        if let owner = owners.first, service == nil || owners.count == 1 { return .success(owner) }
        return .failure(
            RPCError(
                .unimplemented,
                "unknown service \(service ?? ""), method \(method)",
                exceptionID: WireFormat.ExceptionID.unknownService
            )
        )
    }
}
