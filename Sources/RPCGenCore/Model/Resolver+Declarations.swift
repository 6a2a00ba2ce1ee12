internal import NetpollProtobuf

/// First pass: every name of the file goes into the table, and what can be checked without the
/// meaning of other names is checked.
extension Resolver {
    private static let packageLengthLimit = 511
    private static let packageDepthLimit = 101

    mutating func declareFile(_ dependencies: [Int]) {
        let descriptor = file.descriptor
        let publicDependencies = descriptor.publicDependency.compactMap { index in
            dependencies.indices.contains(Int(index)) ? dependencies[Int(index)] : nil
        }
        let package = declarePackage(descriptor.package)
        table.files.append(
            SymbolTable.File(
                name: file.path,
                isProto3: file.isProto3,
                package: package,
                publicDependencies: publicDependencies
            )
        )
        for (index, message) in descriptor.messageType.enumerated() {
            let path = [PathNumber.File.message, Int32(clamping: index)]
            table.files[fileIndex].messages.append(declare(message, package, path))
        }
        for (index, item) in descriptor.enumType.enumerated() {
            let path = [PathNumber.File.enumType, Int32(clamping: index)]
            table.files[fileIndex].enums.append(declare(item, package, path))
        }
        for (index, service) in descriptor.service.enumerated() {
            declare(service, package, [PathNumber.File.service, Int32(clamping: index)])
        }
        for (index, field) in descriptor.extension.enumerated() {
            let path = [PathNumber.File.extension, Int32(clamping: index)]
            table.files[fileIndex].extensions.append(declare(field, package, path))
        }
    }

    private mutating func declarePackage(_ name: String) -> SymbolTable.ID {
        let path = [PathNumber.File.package]
        let parts = name.split(separator: ".")
        guard name.utf8.count <= Self.packageLengthLimit else {
            fail(path, "the package name is longer than \(Self.packageLengthLimit) bytes")
            return SymbolTable.root
        }
        if parts.count > Self.packageDepthLimit {
            fail(path, "the package name has more than \(Self.packageDepthLimit) parts")
        }
        var package = SymbolTable.root
        for part in parts {
            guard let next = table.addPackage(String(part), in: package, file: fileIndex) else {
                let taken = table.child(String(part), of: package).map(describe) ?? ""
                fail(path, "package \"\(name)\" has the name of something else: \(taken)")
                return package
            }
            package = next
        }
        return package
    }

    /// Registers a symbol, or reports what has its name already.
    private mutating func register(_ id: SymbolTable.ID, _ path: [Int32], note: String = "") {
        guard let existing = table.register(id) else { return }
        reportTaken(id, by: existing, path, note: note)
    }

    private mutating func reportTaken(
        _ id: SymbolTable.ID,
        by existing: SymbolTable.ID,
        _ path: [Int32],
        note: String
    ) {
        let name = table[id].name
        if table[existing].file != fileIndex || table[existing].kind == .package {
            return fail(path, "\"\(name)\" is already defined: \(describe(existing))\(note)")
        }
        let scope = table.shownName(table[id].scope)
        fail(
            path,
            "\"\(name)\" is already defined\(scope.isEmpty ? "" : " in \"\(scope)\"")\(note)"
        )
    }

    private func describe(_ id: SymbolTable.ID) -> String {
        let symbol = table[id]
        return
            "\(symbol.kind.rawValue) \"\(table.shownName(id))\" in \"\(table.files.indices.contains(symbol.file) ? table.files[symbol.file].name : file.path)\""
    }

    // MARK: Messages

    private mutating func declare(
        _ message: Google_Protobuf_DescriptorProto,
        _ scope: SymbolTable.ID,
        _ path: [Int32]
    ) -> SymbolTable.ID {
        let id = table.create(.message, message.name, in: scope, file: fileIndex)
        for (index, oneof) in message.oneofDecl.enumerated() {
            let oneofPath = path + [PathNumber.Message.oneof, Int32(clamping: index)]
            let oneofID = table.create(.oneof, oneof.name, in: id, file: fileIndex)
            register(oneofID, oneofPath + [PathNumber.Oneof.name])
        }
        let fields = message.field.enumerated().map { index, field in
            declare(field, id, path + [PathNumber.Message.field, Int32(clamping: index)])
        }
        let enums = message.enumType.enumerated().map { index, item in
            declare(item, id, path + [PathNumber.Message.enumType, Int32(clamping: index)])
        }
        let extensions = message.extension.enumerated().map { index, field in
            declare(field, id, path + [PathNumber.Message.extension, Int32(clamping: index)])
        }
        let messages = message.nestedType.enumerated().map { index, nested in
            declare(nested, id, path + [PathNumber.Message.nested, Int32(clamping: index)])
        }
        table.updateMessage(id) {
            $0.fields = fields
            $0.enums = enums
            $0.extensions = extensions
            $0.messages = messages
            $0.reservedNames = Set(message.reservedName)
            $0.requiredFields = zip(message.field, fields).compactMap { field, id in
                field.label == .required ? id : nil
            }
            $0.isMapEntry = message.hasOptions && message.options.mapEntry
        }
        if table.message(id).isMapEntry {
            // It has no place of its own, but the message with the map field has.
            register(id, path.dropLast(2) + [PathNumber.Message.name], note: " by a map field")
        } else {
            register(id, path + [PathNumber.Message.name])
        }
        validateRanges(message, id, path)
        return id
    }

    private mutating func declare(
        _ field: Google_Protobuf_FieldDescriptorProto,
        _ scope: SymbolTable.ID,
        _ path: [Int32]
    ) -> SymbolTable.ID {
        let isExtension = field.hasExtendee
        let id = table.create(
            isExtension ? .extension : .field,
            field.name,
            in: scope,
            file: fileIndex
        )
        table.setDetails(
            id,
            SymbolTable.Field(
                id: id,
                number: field.number,
                label: field.label,
                // What has only a name may turn out to be an enum.
                type: field.hasType ? field.type : .message,
                owner: isExtension ? nil : scope,
                oneof: field.hasOneofIndex ? field.oneofIndex : nil,
                isProto3: file.isProto3
            )
        )
        let typePath =
            path + [field.hasTypeName ? PathNumber.Field.typeName : PathNumber.Field.type]
        if isExtension, field.label == .required {
            fail(typePath, "extension \"\(table.shownName(id))\" cannot be required")
        }
        if field.hasDefaultValue, field.label == .repeated {
            fail(
                path + [PathNumber.Field.defaultValue],
                "repeated fields cannot have default values"
            )
        }
        validateNumber(field, path + [PathNumber.Field.number])
        register(id, path + [PathNumber.Field.name])
        return id
    }

    private mutating func validateNumber(
        _ field: Google_Protobuf_FieldDescriptorProto,
        _ path: [Int32]
    ) {
        if field.number <= 0 {
            fail(path, "field numbers must be positive integers")
        } else if !field.hasExtendee, field.number > Self.maxFieldNumber {
            fail(path, "field numbers cannot be greater than \(Self.maxFieldNumber)")
        } else if (19_000...19_999).contains(field.number) {
            fail(
                path,
                "field numbers 19000 through 19999 are reserved for the protobuf implementation"
            )
        }
    }

    // MARK: Enums and services

    private mutating func declare(
        _ item: Google_Protobuf_EnumDescriptorProto,
        _ scope: SymbolTable.ID,
        _ path: [Int32]
    ) -> SymbolTable.ID {
        let id = table.create(.enum, item.name, in: scope, file: fileIndex)
        if item.value.isEmpty {
            fail(path + [PathNumber.Enum.name], "enum \"\(item.name)\" has no values")
        }
        let numbers = Set(item.value.map(\.number))
        table.updateEnum(id) {
            $0.numbers = numbers
            $0.firstNumber = item.value.first?.number
        }
        for (index, value) in item.value.enumerated() {
            let valuePath = path + [PathNumber.Enum.value, Int32(clamping: index)]
            let valueID = table.create(.enumValue, value.name, in: scope, file: fileIndex)
            table.setDetails(valueID, SymbolTable.EnumValue(owner: id, number: value.number))
            let namePath = valuePath + [PathNumber.EnumValue.name]
            guard let existing = table.register(valueID) else { continue }
            let isOwn = table[existing].kind == .enumValue && table.enumValue(existing).owner == id
            reportTaken(
                valueID,
                by: existing,
                namePath,
                note: isOwn
                    ? ""
                    : "; enum values are siblings of their type, not children of it, so they must be"
                        + " unique in the scope around enum \"\(item.name)\""
            )
        }
        register(id, path + [PathNumber.Enum.name])
        validateNames(item, path)
        validateRanges(item, path)
        return id
    }

    private mutating func declare(
        _ service: Google_Protobuf_ServiceDescriptorProto,
        _ scope: SymbolTable.ID,
        _ path: [Int32]
    ) {
        let id = table.create(.service, service.name, in: scope, file: fileIndex)
        for (index, method) in service.method.enumerated() {
            let methodPath = path + [PathNumber.Service.method, Int32(clamping: index)]
            let methodID = table.create(.method, method.name, in: id, file: fileIndex)
            register(methodID, methodPath + [PathNumber.Method.name])
        }
        register(id, path + [PathNumber.Service.name])
    }
}
