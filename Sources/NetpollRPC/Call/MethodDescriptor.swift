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
public struct MethodDescriptor: Sendable {
    /// An object, because a call copies its descriptor often.
    private final class Facts: Sendable {
        let service: ServiceDescriptor
        let name: String
        let wireName: [UInt8]
        let requestTemplate: HeaderTemplate

        init(_ service: ServiceDescriptor, _ name: String) {
            self.service = service
            self.name = name
            wireName = Array(name.utf8)
            requestTemplate = HeaderTemplate(
                strings: [(WireFormat.StringKey.serviceName, service.name)],
                integers: [
                    (WireFormat.IntegerKey.transportType, "framed"),
                    (WireFormat.IntegerKey.toService, service.name),
                    (WireFormat.IntegerKey.toMethod, name),
                    (WireFormat.IntegerKey.messageType, "1"),
                ]
            )
        }
    }

    private let facts: Facts

    /// Creates a descriptor.
    public init(service: String, package: String, name: String) {
        facts = Facts(ServiceDescriptor(package: package, name: service), name)
    }

    /// The service.
    public var service: ServiceDescriptor { facts.service }
    /// The method's name in the `.proto` file.
    public var name: String { facts.name }
    var wireName: [UInt8] { facts.wireName }
    var requestTemplate: HeaderTemplate { facts.requestTemplate }

    /// `package.Service/Method`.
    public var fullName: String { "\(service.fullName)/\(name)" }
}

extension MethodDescriptor: Hashable {
    /// Whether both name the same method.
    public static func == (left: MethodDescriptor, right: MethodDescriptor) -> Bool {
        left.facts === right.facts || (left.service == right.service && left.name == right.name)
    }

    /// Feeds the names into a hasher.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(service)
        hasher.combine(name)
    }
}
