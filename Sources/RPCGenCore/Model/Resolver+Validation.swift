internal import NetpollProtobuf

/// Last pass: what depends on the options, and the rules of proto3.
extension Resolver {
    private static let optionTypes: Set<String> = [
        "FileOptions", "MessageOptions", "FieldOptions", "EnumOptions", "EnumValueOptions",
        "ServiceOptions", "MethodOptions", "OneofOptions", "ExtensionRangeOptions",
    ]

    mutating func validateFile(_ dependencies: [Int]) {
        let symbols = table.files[fileIndex]
        let descriptor = file.descriptor
        for (index, message) in descriptor.messageType.enumerated() {
            let path = [PathNumber.File.message, Int32(clamping: index)]
            validate(message, symbols.messages[index], path)
        }
        for (index, item) in descriptor.enumType.enumerated() {
            validate(item, [PathNumber.File.enumType, Int32(clamping: index)])
        }
        for (index, field) in descriptor.extension.enumerated() {
            let path = [PathNumber.File.extension, Int32(clamping: index)]
            validate(field, symbols.extensions[index], path)
        }
        validateLite(dependencies)
    }

    /// Files for the lite runtime may import all others, but not the reverse.
    private mutating func validateLite(_ dependencies: [Int]) {
        let options = file.descriptor.options
        guard table.files[fileIndex].isLite else {
            if let index = dependencies.firstIndex(where: { table.files[$0].isLite }) {
                fail(
                    [PathNumber.File.dependency, Int32(clamping: index)],
                    "files that do not use optimize_for = LITE_RUNTIME cannot import files that do, "
                        + "as \"\(table.files[dependencies[index]].name)\" does"
                )
            }
            return
        }
        guard options.ccGenericServices || options.javaGenericServices else { return }
        for index in file.descriptor.service.indices {
            fail(
                [PathNumber.File.service, Int32(clamping: index), PathNumber.Service.name],
                "files with optimize_for = LITE_RUNTIME cannot define services unless "
                    + "cc_generic_services and java_generic_services are false"
            )
        }
    }

    // MARK: Messages

    private mutating func validate(
        _ message: Google_Protobuf_DescriptorProto,
        _ id: SymbolTable.ID,
        _ path: [Int32]
    ) {
        let symbols = table.message(id)
        for (index, field) in message.field.enumerated() {
            let fieldPath = path + [PathNumber.Message.field, Int32(clamping: index)]
            validate(field, symbols.fields[index], fieldPath)
        }
        for (index, nested) in message.nestedType.enumerated() {
            let nestedPath = path + [PathNumber.Message.nested, Int32(clamping: index)]
            validate(nested, symbols.messages[index], nestedPath)
        }
        for (index, item) in message.enumType.enumerated() {
            validate(item, path + [PathNumber.Message.enumType, Int32(clamping: index)])
        }
        for (index, field) in message.extension.enumerated() {
            let fieldPath = path + [PathNumber.Message.extension, Int32(clamping: index)]
            validate(field, symbols.extensions[index], fieldPath)
        }
        let isMessageSet = message.options.messageSetWireFormat
        let limit = isMessageSet ? Int32.max : Self.maxFieldNumber
        for (index, range) in message.extensionRange.enumerated()
        where Int64(range.end) > Int64(limit) + 1 {
            fail(
                path + [PathNumber.Message.extensionRange, Int32(clamping: index)],
                "extension numbers cannot be greater than \(limit)"
            )
        }
        if file.isProto3 { validateProto3(message, path) }
    }

    private mutating func validateProto3(
        _ message: Google_Protobuf_DescriptorProto,
        _ path: [Int32]
    ) {
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

    private mutating func validate(
        _ item: Google_Protobuf_EnumDescriptorProto,
        _ path: [Int32]
    ) {
        if file.isProto3, let first = item.value.first, first.number != 0 {
            fail(
                path + [PathNumber.Enum.value, 0, PathNumber.EnumValue.number],
                "the first enum value must be zero in proto3"
            )
        }
        guard !item.options.allowAlias else { return }
        var names: [Int32: String] = [:]
        for (index, value) in item.value.enumerated() {
            guard let other = names[value.number] else {
                names[value.number] = value.name
                continue
            }
            fail(
                path + [
                    PathNumber.Enum.value, Int32(clamping: index), PathNumber.EnumValue.number,
                ],
                "\"\(value.name)\" uses the same enum value as \"\(other)\"; "
                    + "if this is intended, set 'option allow_alias = true;' in the enum"
            )
        }
    }

    // MARK: Fields

    private mutating func validate(
        _ field: Google_Protobuf_FieldDescriptorProto,
        _ id: SymbolTable.ID,
        _ path: [Int32]
    ) {
        let symbol = table.field(id)
        let typePath =
            path
            + [
                field.type == .group || !field.hasTypeName
                    ? PathNumber.Field.type : PathNumber.Field.typeName
            ]
        let options = field.options
        if options.lazy || options.unverifiedLazy, field.type != .message {
            fail(typePath, "[lazy = true] is for submessage fields only")
        }
        if options.packed, !symbol.isPackable {
            fail(typePath, "[packed = true] is for repeated primitive fields only")
        }
        validateMessageSet(field, symbol, path, typePath)
        validateJSType(field, typePath)
        if let type = symbol.typeID, symbol.type == .message, table.message(type).isMapEntry {
            validateMap(type, symbol, typePath)
        }
        if let owner = symbol.owner, table.files[fileIndex].isLite,
            !table.files[table[owner].file].isLite
        {
            fail(
                path + [PathNumber.Field.extendee],
                "extensions of types that are not lite can only be declared in files that are not"
            )
        }
        if field.hasExtendee, field.jsonName != NameStyle.json(field.name) {
            fail(path + [PathNumber.Field.jsonName], "json_name is not allowed for extensions")
        }
        if file.isProto3 { validateProto3(field, symbol, path, typePath) }
    }

    private mutating func validateMessageSet(
        _ field: Google_Protobuf_FieldDescriptorProto,
        _ symbol: SymbolTable.Field,
        _ path: [Int32],
        _ typePath: [Int32]
    ) {
        guard let owner = symbol.owner, table.message(owner).isMessageSet else { return }
        if !field.hasExtendee {
            fail(path + [PathNumber.Field.name], "message sets have no fields, only extensions")
        } else if field.label != .optional || field.type != .message {
            fail(typePath, "extensions of message sets must be optional messages")
        }
    }

    private mutating func validateJSType(
        _ field: Google_Protobuf_FieldDescriptorProto,
        _ typePath: [Int32]
    ) {
        guard field.options.jstype != .jsNormal else { return }
        switch field.type {
        case .int64, .uint64, .sint64, .fixed64, .sfixed64: return
        default: fail(typePath, "jstype is for fields of 64-bit integers only")
        }
    }

    private mutating func validateMap(
        _ entry: SymbolTable.ID,
        _ field: SymbolTable.Field,
        _ typePath: [Int32]
    ) {
        let fields = table.message(entry).fields
        // Whoever uses the message behind a map field in another field has written its name.
        let isOwnEntry =
            table[entry].name == NameStyle.mapEntry(table[field.id].name)
            && field.owner == table[entry].scope && field.isRepeated
            && table[field.id].kind == .field
        guard isOwnEntry, fields.count == 2 else {
            return fail(
                typePath,
                "\"\(table.shownName(entry))\" is the type behind a map and cannot be used elsewhere"
            )
        }
        switch table.field(fields[0]).type {
        case .enum: fail(typePath, "the key of a map cannot be an enum")
        case .float, .double, .bytes, .message, .group:
            fail(typePath, "the key of a map must be an integer, a bool or a string")
        default: break
        }
        let value = table.field(fields[1])
        if value.type == .enum, let type = value.typeID, table.enumeration(type).firstNumber != 0 {
            fail(typePath, "the first value of an enum in a map must be zero")
        }
    }

    private mutating func validateProto3(
        _ field: Google_Protobuf_FieldDescriptorProto,
        _ symbol: SymbolTable.Field,
        _ path: [Int32],
        _ typePath: [Int32]
    ) {
        if field.hasExtendee, let owner = symbol.owner {
            let parts = table.fullName(owner).split(separator: ".").map(String.init)
            let isOptions = parts.last.map(Self.optionTypes.contains) ?? false
            if !isOptions || ![["google", "protobuf"], ["proto2"]].contains(parts.dropLast()) {
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
