internal import NetpollCore

/// Finds the handler of a request by service and method name, in Kitex's order of search.
struct Router: Sendable {
    /// A method that is served; an object, because every call refers to it.
    final class Route: Sendable {
        let service: ServiceDescriptor
        let method: String
        /// The method's name in UTF-8, for replies.
        let wireName: [UInt8]
        let handler: MethodHandler
        /// Who runs the handler instead of the loop.
        let workers: WorkerPool?

        init(
            service: ServiceDescriptor,
            method: String,
            handler: MethodHandler,
            workers: WorkerPool?
        ) {
            self.service = service
            self.method = method
            wireName = Array(method.utf8)
            self.handler = handler
            self.workers = workers
        }

        /// `package.Service/Method`.
        var fullMethodName: String { "\(service.fullName)/\(method)" }
    }

    private var services: [String: (descriptor: ServiceDescriptor, methods: [String: Route])] = [:]
    /// The services that have a method, for requests that do not name a service we know.
    private var byMethod: [String: [Route]] = [:]
    /// All services by name.
    private(set) var served: [ServedService] = []

    /// Collects the services' methods, each with the interceptors around it.
    ///
    /// - Throws: ``RPCError`` with code `invalidArgument` when two services have the same name, or
    ///   `execution` names something that is not there.
    init(
        _ list: [any RPCService],
        interceptors: [any ServerInterceptor] = [],
        execution: ExecutionTable = ExecutionTable(RPCServerOptions())
    ) throws {
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
            var routes: [String: Route] = [:]
            for (name, handler) in registrar.methods {
                let workers = execution.workers(descriptor, name)
                let route = Route(
                    service: descriptor,
                    method: name,
                    handler: handler,
                    workers: workers
                )
                routes[name] = route
                byMethod[name, default: []].append(route)
            }
            services[descriptor.name] = (descriptor, routes)
            if !descriptor.package.isEmpty {
                services[descriptor.fullName] = (descriptor, routes)
            }
            served.append(
                ServedService(
                    name: descriptor.fullName,
                    methods: routes.keys.sorted(),
                    fileDescriptors: type(of: service).fileDescriptors
                )
            )
        }
        served.sort { $0.name < $1.name }
        let mistakes = execution.unknownNames(served)
        guard mistakes.isEmpty else {
            let names = mistakes.joined(separator: ", ")
            throw RPCError(.invalidArgument, "methodExecution names what is not served: \(names)")
        }
    }

    /// Finds a method; `service` is what the request names, if anything.
    ///
    /// A named service must have the method. Without a name, or with an unknown one, the method's
    /// only owner is taken.
    func route(service: String?, method: String) -> Result<Route, RPCError> {
        if let service, let known = services[service] {
            guard let route = known.methods[method] else {
                return .failure(
                    RPCError(
                        .unimplemented,
                        "unknown method \(method) (service \(known.descriptor.name))",
                        exceptionID: WireFormat.ExceptionID.unknownMethod
                    )
                )
            }
            return .success(route)
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

/// Remembers what a connection asked for last, because most ask for the same thing again.
struct RouteMemo: Sendable {
    private let router: Router
    private var service: String?
    private var route: Router.Route?

    init(_ router: Router) { self.router = router }

    /// As ``Router/route(service:method:)``, for the method that a message names.
    mutating func route(
        service: String?,
        message: WireMessage
    ) -> Result<Router.Route, RPCError> {
        if let route, message.hasMethod(route.wireName), service == self.service {
            return .success(route)
        }
        let found = router.route(service: service, method: message.method)
        if case .success(let route) = found {
            self.service = service
            self.route = route
        }
        return found
    }
}
