internal import NetpollProtobuf

/// Second pass: what fields, extensions and methods refer to is found, and names become absolute.
extension Resolver {
    mutating func linkFile() {
        let symbols = table.files[fileIndex]
        var descriptor = file.descriptor
        for index in descriptor.messageType.indices {
            link(
                &descriptor.messageType[index],
                symbols.messages[index],
                [PathNumber.File.message, Int32(clamping: index)]
            )
        }
        for index in descriptor.extension.indices {
            link(
                &descriptor.extension[index],
                symbols.extensions[index],
                [PathNumber.File.extension, Int32(clamping: index)]
            )
        }
        for index in descriptor.service.indices {
            link(
                &descriptor.service[index],
                symbols.package,
                [PathNumber.File.service, Int32(clamping: index)]
            )
        }
        file.descriptor = descriptor
    }

    private mutating func link(
        _ message: inout Google_Protobuf_DescriptorProto,
        _ id: SymbolTable.ID,
        _ path: [Int32]
    ) {
        let symbols = table.message(id)
        let maps = mapFields(message)
        for index in message.nestedType.indices {
            let nestedPath = path + [PathNumber.Message.nested, Int32(clamping: index)]
            let map = maps[message.nestedType[index].name]
            mapPath = map.map { path + [PathNumber.Message.field, Int32(clamping: $0)] }
            link(&message.nestedType[index], symbols.messages[index], nestedPath)
            mapPath = nil
        }
        for index in message.field.indices {
            link(
                &message.field[index],
                symbols.fields[index],
                path + [PathNumber.Message.field, Int32(clamping: index)]
            )
        }
        for index in message.extension.indices {
            link(
                &message.extension[index],
                symbols.extensions[index],
                path + [PathNumber.Message.extension, Int32(clamping: index)]
            )
        }
        validateOneofs(message, path)
    }

    /// The positions of map fields by the names of their types.
    private func mapFields(_ message: Google_Protobuf_DescriptorProto) -> [String: Int] {
        let entries = message.nestedType.filter { $0.hasOptions && $0.options.mapEntry }
        guard !entries.isEmpty else { return [:] }
        let names = Set(entries.map(\.name))
        let fields = message.field.enumerated().filter { names.contains($1.typeName) }
        return Dictionary(fields.map { ($1.typeName, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Members of a oneof stand together, and there is at least one.
    private mutating func validateOneofs(
        _ message: Google_Protobuf_DescriptorProto,
        _ path: [Int32]
    ) {
        var seen: Set<Int32> = []
        var last: Int32?
        for (index, field) in message.field.enumerated() {
            defer { last = field.hasOneofIndex ? field.oneofIndex : nil }
            guard field.hasOneofIndex, last != field.oneofIndex else { continue }
            guard !seen.insert(field.oneofIndex).inserted else { continue }
            let fieldPath = path + [PathNumber.Message.field, Int32(clamping: index)]
            fail(fieldPath, "the fields of a oneof must be defined consecutively")
        }
        for (index, oneof) in message.oneofDecl.enumerated()
        where !seen.contains(Int32(clamping: index)) {
            fail(
                path + [PathNumber.Message.oneof, Int32(clamping: index), PathNumber.Oneof.name],
                "oneof \"\(oneof.name)\" has no fields"
            )
        }
    }

    // MARK: Fields

    private mutating func link(
        _ field: inout Google_Protobuf_FieldDescriptorProto,
        _ id: SymbolTable.ID,
        _ path: [Int32]
    ) {
        if !field.hasJsonName { field.jsonName = NameStyle.json(field.name) }
        guard linkExtendee(&field, id, path) else { return }
        if field.hasTypeName {
            guard linkType(&field, id, path) else { return }
        }
        guard let owner = table.field(id).owner else { return }
        let key = NumberKey(message: owner, number: field.number)
        guard let other = fieldsByNumber[key] else {
            fieldsByNumber[key] = id
            return
        }
        fail(
            path + [PathNumber.Field.number],
            "\(field.hasExtendee ? "extension" : "field") number \(field.number) has already been "
                + "used in \"\(table.shownName(owner))\" by \"\(table[other].name)\""
        )
    }

    /// Returns whether the field is no extension or its extendee was found.
    private mutating func linkExtendee(
        _ field: inout Google_Protobuf_FieldDescriptorProto,
        _ id: SymbolTable.ID,
        _ path: [Int32]
    ) -> Bool {
        guard field.hasExtendee else { return true }
        let place = path + [PathNumber.Field.extendee]
        guard let owner = find(field.extendee, from: table[id].scope, place) else { return false }
        guard table[owner].kind == .message else {
            fail(place, "\"\(field.extendee)\" is not a message type")
            return false
        }
        table.updateField(id) { $0.owner = owner }
        if table.message(owner).extensionRanges.position(of: Int64(field.number)) == nil {
            fail(
                path + [PathNumber.Field.number],
                "\"\(table.shownName(owner))\" does not declare \(field.number) as an extension number"
            )
        }
        field.extendee = absoluteName(owner, at: place)
        return true
    }

    /// Returns whether the field's type was found.
    private mutating func linkType(
        _ field: inout Google_Protobuf_FieldDescriptorProto,
        _ id: SymbolTable.ID,
        _ path: [Int32]
    ) -> Bool {
        let place = typePlace(path)
        let name = field.typeName
        guard let type = find(name, from: table[id].scope, place, typesOnly: true) else {
            return false
        }
        switch table[type].kind {
        case .message where !field.hasType || field.type == .group:
            if !field.hasType { field.type = .message }
            if field.hasDefaultValue {
                fail(
                    path + [PathNumber.Field.defaultValue],
                    "messages cannot have default values"
                )
            }
        case .enum where !field.hasType:
            field.type = .enum
            if field.hasDefaultValue { validateEnumDefault(field, type, path) }
        default:
            fail(place, "\"\(name)\" is not a type")
            return false
        }
        let resolved = field.type
        table.updateField(id) {
            $0.type = resolved
            $0.typeID = type
        }
        field.typeName = absoluteName(type, at: place)
        return true
    }

    /// Where the type of a field stands; that of a map's key or value stands in the map field.
    private func typePlace(_ path: [Int32]) -> [Int32] {
        (mapPath ?? path) + [PathNumber.Field.typeName]
    }

    private mutating func validateEnumDefault(
        _ field: Google_Protobuf_FieldDescriptorProto,
        _ type: SymbolTable.ID,
        _ path: [Int32]
    ) {
        let place = path + [PathNumber.Field.defaultValue]
        let name = field.defaultValue
        let isIdentifier =
            name.utf8.first?.isLetter == true && name.utf8.allSatisfy { $0.isLetter || $0.isDigit }
        if !isIdentifier {
            fail(place, "the default value of an enum field must be an identifier")
        } else if table.value(name, of: type) == nil {
            fail(place, "enum type \"\(table.shownName(type))\" has no value named \"\(name)\"")
        }
    }

    // MARK: Services

    private mutating func link(
        _ service: inout Google_Protobuf_ServiceDescriptorProto,
        _ package: SymbolTable.ID,
        _ path: [Int32]
    ) {
        let scope = table.child(service.name, of: package) ?? package
        for index in service.method.indices {
            let methodPath = path + [PathNumber.Service.method, Int32(clamping: index)]
            service.method[index].inputType = messageName(
                service.method[index].inputType,
                scope,
                methodPath + [PathNumber.Method.input]
            )
            service.method[index].outputType = messageName(
                service.method[index].outputType,
                scope,
                methodPath + [PathNumber.Method.output]
            )
        }
    }

    private mutating func messageName(
        _ reference: String,
        _ scope: SymbolTable.ID,
        _ path: [Int32]
    ) -> String {
        guard let id = find(reference, from: scope, path) else { return reference }
        guard table[id].kind == .message else {
            fail(path, "\"\(reference)\" is not a message type")
            return reference
        }
        return absoluteName(id, at: path)
    }

    // MARK: References

    private mutating func find(
        _ reference: String,
        from scope: SymbolTable.ID,
        _ path: [Int32],
        typesOnly: Bool = false
    ) -> SymbolTable.ID? {
        let lookup = table.resolve(reference, from: scope, visibility, typesOnly: typesOnly)
        if let found = lookup.found { return found }
        if let hidden = lookup.notImported {
            fail(
                path,
                "\"\(table.shownName(hidden))\" seems to be defined in "
                    + "\"\(table.files[table[hidden].file].name)\", which is not imported by "
                    + "\"\(file.path)\""
            )
        }
        if let taken = lookup.taken {
            fail(
                path,
                "\"\(reference)\" is resolved to \"\(taken)\", which is not defined: the innermost "
                    + "scope is searched first; begin with a dot to search from the outermost scope"
            )
        }
        if lookup.notImported == nil, lookup.taken == nil {
            fail(path, "\"\(reference)\" is not defined")
        }
        return nil
    }
}
