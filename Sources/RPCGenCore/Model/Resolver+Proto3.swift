internal import NetpollProtobuf

/// What proto3 does not allow.
extension Resolver {
    private static let optionTypes: Set<String> = [
        "FileOptions", "MessageOptions", "FieldOptions", "EnumOptions", "EnumValueOptions",
        "ServiceOptions", "MethodOptions", "OneofOptions", "ExtensionRangeOptions",
    ]

    mutating func validateProto3() {
        let symbols = table.files[fileIndex]
        let descriptor = file.descriptor
        for (index, field) in descriptor.extension.enumerated() {
            let path = [PathNumber.File.extension, Int32(clamping: index)]
            validateProto3(field, symbols.extensions[index], path)
        }
        for (index, message) in descriptor.messageType.enumerated() {
            let path = [PathNumber.File.message, Int32(clamping: index)]
            validateProto3(message, symbols.messages[index], path)
        }
        for (index, item) in descriptor.enumType.enumerated() {
            validateProto3(item, [PathNumber.File.enumType, Int32(clamping: index)])
        }
    }

    private mutating func validateProto3(
        _ message: Google_Protobuf_DescriptorProto,
        _ id: SymbolTable.ID,
        _ path: [Int32]
    ) {
        let symbols = table.message(id)
        for (index, nested) in message.nestedType.enumerated() {
            let nestedPath = path + [PathNumber.Message.nested, Int32(clamping: index)]
            validateProto3(nested, symbols.messages[index], nestedPath)
        }
        for (index, item) in message.enumType.enumerated() {
            validateProto3(item, path + [PathNumber.Message.enumType, Int32(clamping: index)])
        }
        for (index, field) in message.field.enumerated() {
            let fieldPath = path + [PathNumber.Message.field, Int32(clamping: index)]
            validateProto3(field, symbols.fields[index], fieldPath)
        }
        for (index, field) in message.extension.enumerated() {
            let fieldPath = path + [PathNumber.Message.extension, Int32(clamping: index)]
            validateProto3(field, symbols.extensions[index], fieldPath)
        }
        if !message.extensionRange.isEmpty {
            fail(
                path + [PathNumber.Message.extensionRange, 0],
                "extension ranges are not allowed in proto3"
            )
        }
        if message.options.messageSetWireFormat {
            fail(path + [PathNumber.Message.name], "message sets are not supported in proto3")
        }
        var names: [String: String] = [:]
        for (index, field) in message.field.enumerated() {
            let folded = NameStyle.folded(field.name)
            guard let other = names[folded] else {
                names[folded] = field.name
                continue
            }
            fail(
                path + [PathNumber.Message.field, Int32(clamping: index), PathNumber.Field.name],
                "the JSON name of field \"\(field.name)\" conflicts with that of field \"\(other)\""
            )
        }
    }

    private mutating func validateProto3(
        _ item: Google_Protobuf_EnumDescriptorProto,
        _ path: [Int32]
    ) {
        guard let first = item.value.first, first.number != 0 else { return }
        fail(
            path + [PathNumber.Enum.value, 0, PathNumber.EnumValue.number],
            "the first enum value must be zero in proto3"
        )
    }

    private mutating func validateProto3(
        _ field: Google_Protobuf_FieldDescriptorProto,
        _ id: SymbolTable.ID,
        _ path: [Int32]
    ) {
        let symbol = table.field(id)
        let typePath = path + [field.typePathNumber]
        if field.hasExtendee, let owner = symbol.owner {
            let name = table[owner].name
            let isOptions =
                Self.optionTypes.contains(name)
                && (table.isNamed(["google", "protobuf", name], owner)
                    || table.isNamed(["proto2", name], owner))
            if !isOptions {
                fail(
                    path + [PathNumber.Field.extendee],
                    "extensions in proto3 are only allowed for defining options"
                )
            }
        }
        if field.label == .required {
            fail(typePath, "required fields are not allowed in proto3")
        }
        if field.hasDefaultValue {
            fail(
                path + [PathNumber.Field.defaultValue],
                "explicit default values are not allowed in proto3"
            )
        }
        if symbol.type == .enum, let type = symbol.typeID,
            !table.files[table[type].file].isProto3
        {
            fail(
                typePath,
                "enum type \"\(table.shownName(type))\" is not a proto3 enum and cannot be used in "
                    + "a proto3 message"
            )
        }
        if field.type == .group { fail(typePath, "groups are not supported in proto3") }
    }
}

extension Google_Protobuf_FieldDescriptorProto {
    /// Where the type stands: a group has its name for a type name, but no place of it.
    var typePathNumber: Int32 {
        type == .group || !hasTypeName ? PathNumber.Field.type : PathNumber.Field.typeName
    }
}
