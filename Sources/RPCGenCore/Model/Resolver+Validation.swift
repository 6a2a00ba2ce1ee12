internal import NetpollProtobuf

/// Last pass: what depends on the options, and the rules of proto3.
extension Resolver {
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
        validateServices()
        for (index, field) in descriptor.extension.enumerated() {
            let path = [PathNumber.File.extension, Int32(clamping: index)]
            validate(field, symbols.extensions[index], path)
        }
        validateImports(dependencies)
        if file.isProto3 { validateProto3() }
    }

    private mutating func validateServices() {
        let options = file.descriptor.options
        guard table.files[fileIndex].isLite,
            options.ccGenericServices || options.javaGenericServices
        else { return }
        for index in file.descriptor.service.indices {
            fail(
                [PathNumber.File.service, Int32(clamping: index), PathNumber.Service.name],
                "files with optimize_for = LITE_RUNTIME cannot define services unless "
                    + "cc_generic_services and java_generic_services are false"
            )
        }
    }

    /// Files for the lite runtime may import all others, but not the reverse.
    private mutating func validateImports(_ dependencies: [Int]) {
        guard !table.files[fileIndex].isLite,
            let index = dependencies.firstIndex(where: { table.files[$0].isLite })
        else { return }
        fail(
            [PathNumber.File.dependency, Int32(clamping: index)],
            "files that do not use optimize_for = LITE_RUNTIME cannot import files that do, "
                + "as \"\(table.files[dependencies[index]].name)\" does"
        )
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
    }

    private mutating func validate(
        _ item: Google_Protobuf_EnumDescriptorProto,
        _ path: [Int32]
    ) {
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
        let typePath = path + [field.typePathNumber]
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

    /// Whether a message is what a map field has made for itself, or looks in every way like it.
    private func isEntry(_ entry: SymbolTable.ID, of field: SymbolTable.Field) -> Bool {
        let message = table.message(entry)
        let hasOtherContents =
            !message.extensions.isEmpty || !message.messages.isEmpty || !message.enums.isEmpty
            || !message.extensionRanges.isEmpty
        let isPlacedRight =
            field.isRepeated && table[field.id].kind == .field && field.owner == table[entry].scope
            && table[entry].name == NameStyle.mapEntry(table[field.id].name)
        let parts = message.fields.map { table.field($0) }
        return isPlacedRight && !hasOtherContents && parts.map(\.number) == [1, 2]
            && message.fields.map { table[$0].name } == ["key", "value"]
            && parts.allSatisfy { $0.label == .optional }
    }

    private mutating func validateMap(
        _ entry: SymbolTable.ID,
        _ field: SymbolTable.Field,
        _ typePath: [Int32]
    ) {
        let fields = table.message(entry).fields
        guard isEntry(entry, of: field) else {
            return fail(
                typePath,
                "\"\(table.shownName(entry))\" is like the message behind a map; write a map field "
                    + "instead, without map_entry"
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
}
