internal import NetpollProtobuf

/// All types of a compilation by their absolute protobuf names, with their Swift names.
struct TypeIndex {
    struct EnumType {
        let swiftName: String
        let descriptor: Google_Protobuf_EnumDescriptorProto
        let isClosed: Bool
    }

    struct MessageType {
        let swiftName: String
        let descriptor: Google_Protobuf_DescriptorProto
    }

    private(set) var messages: [String: MessageType] = [:]
    private(set) var enums: [String: EnumType] = [:]
    private(set) var graph = MessageGraph([:])

    init(_ files: [Google_Protobuf_FileDescriptorProto]) {
        for file in files {
            let scope = file.package.isEmpty ? "" : "." + file.package
            let prefix = SwiftNames.typePrefix(file)
            for message in file.messageType { add(message, scope, prefix, file) }
            for item in file.enumType { add(item, scope, prefix, file) }
        }
        graph = MessageGraph(messages.mapValues(\.descriptor))
    }

    private mutating func add(
        _ message: Google_Protobuf_DescriptorProto,
        _ scope: String,
        _ prefix: String,
        _ file: Google_Protobuf_FileDescriptorProto
    ) {
        let name = "\(scope).\(message.name)"
        let isTopLevel = !prefix.hasSuffix(".")
        let swiftName =
            prefix
            + (isTopLevel && !prefix.isEmpty
                ? message.name : SwiftNames.type(message.name, suffix: "Message"))
        messages[name] = MessageType(swiftName: swiftName, descriptor: message)
        for nested in message.nestedType { add(nested, name, swiftName + ".", file) }
        for item in message.enumType { add(item, name, swiftName + ".", file) }
    }

    private mutating func add(
        _ item: Google_Protobuf_EnumDescriptorProto,
        _ scope: String,
        _ prefix: String,
        _ file: Google_Protobuf_FileDescriptorProto
    ) {
        let isTopLevel = !prefix.hasSuffix(".")
        let swiftName =
            prefix
            + (isTopLevel && !prefix.isEmpty
                ? item.name : SwiftNames.type(item.name, suffix: "Enum"))
        enums["\(scope).\(item.name)"] = EnumType(
            swiftName: swiftName,
            descriptor: item,
            isClosed: file.syntax != "proto3"
        )
    }

    /// The map entry behind a field, if the field is a map.
    func mapEntry(of field: Google_Protobuf_FieldDescriptorProto)
        -> Google_Protobuf_DescriptorProto?
    {
        guard field.label == .repeated, field.hasTypeName,
            let message = messages[field.typeName]?.descriptor,
            message.hasOptions, message.options.mapEntry
        else { return nil }
        return message
    }
}
