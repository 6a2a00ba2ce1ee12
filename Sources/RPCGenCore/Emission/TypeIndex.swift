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
    /// Messages that contain themselves, directly or through others, by singular fields.
    private(set) var recursive: Set<String> = []

    init(_ files: [Google_Protobuf_FileDescriptorProto]) {
        for file in files {
            let scope = file.package.isEmpty ? "" : "." + file.package
            let prefix = SwiftNames.typePrefix(file)
            for message in file.messageType { add(message, scope, prefix, file) }
            for item in file.enumType { add(item, scope, prefix, file) }
        }
        for name in messages.keys where reaches(name, from: name) { recursive.insert(name) }
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

    /// Whether singular message fields lead from one type to another; maps and lists hold their
    /// elements on the heap and end the search.
    private func reaches(_ target: String, from start: String) -> Bool {
        var seen: Set<String> = []
        var pending = [start]
        while let name = pending.popLast() {
            for field in messages[name]?.descriptor.field ?? []
            where field.label != .repeated && field.hasTypeName
                && (field.type == .message || field.type == .group)
            {
                if field.typeName == target { return true }
                if seen.insert(field.typeName).inserted { pending.append(field.typeName) }
            }
        }
        return false
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
