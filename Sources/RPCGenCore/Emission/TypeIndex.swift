internal import NetpollProtobuf

/// All types of a compilation by their absolute protobuf names, with their Swift names.
struct TypeIndex {
    struct EnumType {
        let swiftName: String
        let descriptor: Google_Protobuf_EnumDescriptorProto
        let isClosed: Bool
    }

    /// A oneof that was written, not one behind a proto3 `optional` field.
    struct Oneof {
        /// The index of its declaration.
        let slot: Int
        /// The name in the `.proto` file.
        let name: String
        /// The number of its first member, which it has in place of one of its own.
        let number: Int32
        /// The name of the enum of its members.
        let type: String
    }

    struct MessageType {
        let swiftName: String
        let descriptor: Google_Protobuf_DescriptorProto
        let isProto3: Bool
        let oneofs: [Oneof]
        /// The names of all types that are declared in its Swift type.
        let innerTypes: NameScope
    }

    private(set) var messages: [String: MessageType] = [:]
    /// What the messages have beside types.
    private(set) var names: [String: MessageNames] = [:]
    private(set) var enums: [String: EnumType] = [:]
    /// The names of all types within their parents.
    private(set) var typeNames: Set<String> = []
    private(set) var graph = MessageGraph([:])
    /// The properties of extensions, by the full names of these.
    private(set) var extensionProperties: [String: PropertyNames] = [:]
    /// Where names are kept for types that ``name(of:in:)`` cannot call by their own.
    private var hiddenTypes: HiddenTypes?

    init(_ files: [Google_Protobuf_FileDescriptorProto]) {
        for file in files {
            _ = add(
                file.messageType,
                file.enumType,
                scope: file.package.isEmpty ? "" : "." + file.package,
                parent: "",
                prefix: SwiftNames.typePrefix(file),
                isProto3: file.syntax == "proto3"
            )
        }
        names = messages.mapValues { MessageNames($0, self) }
        graph = MessageGraph(messages.mapValues(\.descriptor))
    }

    /// Adds types that are declared side by side.
    ///
    /// - Returns: Their names.
    private mutating func add(
        _ messages: [Google_Protobuf_DescriptorProto],
        _ enums: [Google_Protobuf_EnumDescriptorProto],
        scope: String,
        parent: String,
        prefix: String,
        isProto3: Bool
    ) -> [String] {
        let names = SwiftNames.types(
            messages.map { (prefix + $0.name, "Message") }
                + enums.map { (prefix + $0.name, "Enum") }
        )
        typeNames.formUnion(names)
        for (item, name) in zip(enums, names.dropFirst(messages.count)) {
            self.enums["\(scope).\(item.name)"] = EnumType(
                swiftName: parent + name,
                descriptor: item,
                isClosed: !isProto3
            )
        }
        for (message, name) in zip(messages, names) {
            let inner = add(
                message.nestedType,
                message.enumType,
                scope: "\(scope).\(message.name)",
                parent: "\(parent)\(name).",
                prefix: "",
                isProto3: isProto3
            )
            var innerTypes = NameScope(inner)
            let oneofs = message.writtenOneofs.map { slot, name, number in
                let type = SwiftNames.oneofType(name)
                let end = innerTypes.place("_\(number)") { [type + $0] }
                typeNames.insert(type + end)
                return Oneof(slot: slot, name: name, number: number, type: type + end)
            }
            self.messages["\(scope).\(message.name)"] = MessageType(
                swiftName: parent + name,
                descriptor: message,
                isProto3: isProto3,
                oneofs: oneofs,
                innerTypes: innerTypes
            )
        }
        return names
    }

    /// How a type is called in the Swift type of a message, or in an extension of it.
    ///
    /// - Parameters:
    ///   - swiftName: The type's full name, or that of something in it.
    ///   - message: The absolute protobuf name of the message; empty outside messages.
    /// - Returns: The name, or another if something in the message hides it.
    func name(of swiftName: String, in message: String) -> String {
        guard let hiddenTypes else { return swiftName }
        let root = swiftName.prefix { $0 != "." }
        var place = message[...]
        while let type = messages[String(place)], let names = names[String(place)] {
            let name = String(root)
            if type.innerTypes.contains(name) || names.scope.contains(name)
                || names.extensionScope.contains(name) || Self.runtimeMembers.contains(name)
            {
                return hiddenTypes.alias(for: name) + swiftName.dropFirst(root.count)
            }
            place = place[..<(place.lastIndex(of: ".") ?? place.startIndex)]
        }
        return swiftName
    }

    /// What every message has from the runtime and from Swift, but for what no type is called.
    private static let runtimeMembers: Set<String> = [
        "clearExtensionValue", "decodeFields", "decodeUnknownFields", "encodeFields",
        "getExtensionValue", "hasExtensionValue", "hash", "isA", "isPathValid", "jsonString",
        "jsonUTF8Bytes", "merge", "serializedBytes", "setExtensionValue", "trim", "unpackTo",
        "with", "withSerialization",
    ]

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

extension TypeIndex {
    /// Makes the index fit for writing a file: what its extensions add to messages hides types too.
    mutating func enter(_ file: Google_Protobuf_FileDescriptorProto, _ names: FileNames) {
        hiddenTypes = names.hiddenTypes
        let prefix = SwiftNames.typePrefix(file)
        for field in file.extension {
            nameExtension(field, in: file.package) {
                SwiftNames.extensionProperty($0, prefix: prefix)
            }
        }
        for message in file.messageType {
            nameExtensions(
                of: message,
                file.package.isEmpty ? message.name : "\(file.package).\(message.name)"
            )
        }
    }

    private mutating func nameExtensions(
        of message: Google_Protobuf_DescriptorProto,
        _ name: String
    ) {
        guard let type = messages[".\(name)"]?.swiftName else { return }
        for field in message.extension {
            nameExtension(field, in: name) { SwiftNames.extensionProperty($0, message: type) }
        }
        for nested in message.nestedType { nameExtensions(of: nested, "\(name).\(nested.name)") }
    }

    private mutating func nameExtension(
        _ field: Google_Protobuf_FieldDescriptorProto,
        in parent: String,
        _ property: (_ name: String) -> PropertyNames
    ) {
        var scope = names[field.extendee]?.scope ?? NameScope()
        let fullName = parent.isEmpty ? field.name : "\(parent).\(field.name)"
        extensionProperties[fullName] = property(FieldModel.swiftBaseName(field, self)).placed(
            in: &scope,
            hasAccessors: field.label != .repeated,
            number: field.number
        )
        names[field.extendee]?.scope = scope
    }
}

extension Google_Protobuf_DescriptorProto {
    fileprivate var writtenOneofs: [(slot: Int, name: String, number: Int32)] {
        var first: [Int: Google_Protobuf_FieldDescriptorProto] = [:]
        for field in field.reversed() where field.hasOneofIndex {
            first[Int(field.oneofIndex)] = field
        }
        return oneofDecl.enumerated().compactMap { slot, oneof in
            guard let member = first[slot], !member.proto3Optional else { return nil }
            return (slot, oneof.name, member.number)
        }
    }
}
