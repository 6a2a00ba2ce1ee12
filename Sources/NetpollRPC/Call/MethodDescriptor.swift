/// Names a service: the package and the name of its `.proto` declaration.
public struct ServiceDescriptor: Sendable, Hashable {
    /// The package, or an empty string.
    public let package: String
    /// The name without the package: what Kitex sends and looks for.
    public let name: String

    /// Creates a descriptor.
    public init(package: String, name: String) {
        self.package = package
        self.name = name
    }

    /// The name with the package before it.
    public var fullName: String { package.isEmpty ? name : "\(package).\(name)" }
}

/// Names a method of a service, with what every request for it has in common.
public struct MethodDescriptor: Sendable, Hashable {
    /// The service.
    public let service: ServiceDescriptor
    /// The method's name in the `.proto` file.
    public let name: String
    let wireName: [UInt8]
    let requestTemplate: HeaderTemplate

    /// Creates a descriptor.
    public init(service: String, package: String, name: String) {
        self.service = ServiceDescriptor(package: package, name: service)
        self.name = name
        wireName = Array(name.utf8)
        requestTemplate = HeaderTemplate(
            strings: [(WireFormat.StringKey.serviceName, service)],
            integers: [
                (WireFormat.IntegerKey.transportType, "framed"),
                (WireFormat.IntegerKey.toService, service),
                (WireFormat.IntegerKey.toMethod, name),
                (WireFormat.IntegerKey.messageType, "1"),
            ]
        )
    }

    /// `package.Service/Method`.
    public var fullName: String { "\(service.fullName)/\(name)" }
}
