internal import NetpollProtobuf

/// The names at the top of one Swift file, beside those of messages and enums, from which they keep
/// apart.
struct FileNames {
    /// What stands before `Service`, `Client` and `ServiceFile`, for each service.
    let services: [String]
    /// The objects of the extensions that are declared outside messages.
    let extensions: [String]
    /// The set of all extensions.
    let extensionMap: String
    let hiddenTypes: HiddenTypes

    init(_ file: Google_Protobuf_FileDescriptorProto, _ index: TypeIndex) {
        let prefix = SwiftNames.typePrefix(file)
        let package = file.package.isEmpty ? "" : "." + file.package
        var scope = NameScope(
            file.messageType.compactMap { index.messages["\(package).\($0.name)"]?.swiftName }
                + file.enumType.compactMap { index.enums["\(package).\($0.name)"]?.swiftName }
        )
        services = Self.services(file.service.map { prefix + $0.name }, in: &scope)
        extensions = file.extension.map { field in
            let name = "\(prefix)Extensions_\(FieldModel.swiftBaseName(field, index))"
            return name + scope.place("_\(field.number)") { [name + $0] }
        }
        let stem = prefix + SwiftNames.fileIdentifier(file.name)
        let map = stem + "_Extensions"
        extensionMap = map + scope.place("_") { [map + $0] }
        hiddenTypes = HiddenTypes(prefix: stem, typeNames: index.typeNames, scope: scope)
    }

    private static func services(_ names: [String], in scope: inout NameScope) -> [String] {
        names.enumerated().map { position, name in
            name
                + scope.place("_") { end in
                    let types = [name + end + "Service", name + end + "Client"]
                    // The descriptors of the file have the name of its first service.
                    return position == 0 ? types + [name + end + "ServiceFile"] : types
                }
        }
    }
}
