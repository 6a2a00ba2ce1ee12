internal import NetpollProtobuf

/// The names of a property and of what comes with it.
struct PropertyNames {
    /// The name, without backticks.
    let plain: String
    /// What follows `has` or `clear`.
    let capitalized: String

    /// The name as it is written.
    var property: String { SwiftNames.quoted(plain) }

    func appending(_ end: String) -> PropertyNames {
        PropertyNames(plain: plain + end, capitalized: capitalized + end)
    }

    /// The names with the number at their ends if others have them already; `hasX` and `clearX`
    /// count if the property has such accessors.
    func placed(in scope: inout NameScope, hasAccessors: Bool, number: Int32) -> PropertyNames {
        appending(
            scope.place("_\(number)") { end in
                let names = appending(end)
                guard hasAccessors else { return [names.plain] }
                return [names.plain, "has" + names.capitalized, "clear" + names.capitalized]
            }
        )
    }
}

extension PropertyNames {
    init(_ plain: String) {
        self.init(plain: plain, capitalized: plain.prefix(1).uppercased() + plain.dropFirst())
    }
}

/// The names of what a message has beside types; no two are the same.
///
/// Where SwiftProtobuf would give two the same name, the later one gets its number; a oneof, the
/// number of its first member.
struct MessageNames {
    struct Field {
        let property: PropertyNames
        /// The stored property behind a computed one, if there is one.
        let storage: String
    }

    struct Oneof {
        let declaration: TypeIndex.Oneof
        let property: String
    }

    let fields: [Field]
    let oneofs: [Oneof]
    /// The names of all of these, and of the extensions that are known.
    var scope: NameScope
    /// The objects of the extensions that are declared in the message, and all of their names.
    let extensions: [String]
    let extensionScope: NameScope

    init(_ message: TypeIndex.MessageType, _ index: TypeIndex) {
        let descriptor = message.descriptor
        let isExtensible = !descriptor.extensionRange.isEmpty
        var scope = NameScope(
            isExtensible ? ["unknownFields", "extensionFields"] : ["unknownFields"]
        )
        let names = descriptor.field.map { field in
            SwiftNames.property(
                FieldModel.swiftBaseName(field, index),
                isExtensible: isExtensible
            ).placed(
                in: &scope,
                hasAccessors: field.isStored(isProto3: message.isProto3),
                number: field.number
            )
        }
        oneofs = message.oneofs.map { oneof in
            let names = SwiftNames.property(oneof.name, isExtensible: isExtensible)
            return Oneof(
                declaration: oneof,
                property: names.placed(
                    in: &scope,
                    hasAccessors: false,
                    number: oneof.number
                ).property
            )
        }
        // After all others: nobody sees them, so it is they that give way.
        fields = zip(descriptor.field, names).map { field, names in
            var storage = SwiftNames.storage(FieldModel.swiftBaseName(field, index))
            if field.isStored(isProto3: message.isProto3) {
                storage += scope.place("_\(field.number)") { [storage + $0] }
            }
            return Field(property: names, storage: storage)
        }
        self.scope = scope
        var extensionScope = NameScope()
        extensions = descriptor.extension.map { field in
            let name = SwiftNames.nestedExtension(FieldModel.swiftBaseName(field, index))
            return name + extensionScope.place("_\(field.number)") { [name + $0] }
        }
        self.extensionScope = extensionScope
    }
}

extension Google_Protobuf_FieldDescriptorProto {
    /// Whether the field is a member of a oneof that was written.
    var isMember: Bool { hasOneofIndex && !proto3Optional }

    /// Whether the field has a property of its own behind the public one.
    func isStored(isProto3: Bool) -> Bool {
        if label == .repeated || isMember { return false }
        return label == .required || proto3Optional || !isProto3 || type == .message
            || type == .group
    }
}
