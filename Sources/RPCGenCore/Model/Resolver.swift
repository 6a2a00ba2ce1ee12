internal import NetpollProtobuf

/// Turns parsed files into finished descriptors: names become absolute, defaults are filled in, and
/// what protoc would refuse is reported.
struct Resolver {
    var files: [ParsedFile]
    var symbols = SymbolTable()
    private(set) var diagnostics = Diagnostics()

    /// - Parameter files: Files in the order of their imports.
    init(files: [ParsedFile]) { self.files = files }

    mutating func fail(_ file: ParsedFile, _ path: [Int32], _ message: String) {
        diagnostics.add(file.path, file.location(path), message)
    }

    mutating func resolve() -> [Google_Protobuf_FileDescriptorProto] {
        computeVisibility()
        for file in files { declare(file) }
        return files.indices.map { index in
            var file = files[index]
            validate(file)
            resolveNames(&file)
            OptionInterpreter.interpret(&file.descriptor)
            return file.descriptor
        }
    }

    /// A file sees what it imports, and what those files import publicly.
    private mutating func computeVisibility() {
        var publicSets: [String: Set<String>] = [:]
        for file in files {
            let descriptor = file.descriptor
            var exported: Set<String> = [file.path]
            for index in descriptor.publicDependency where Int(index) < descriptor.dependency.count
            {
                exported.formUnion(publicSets[descriptor.dependency[Int(index)], default: []])
            }
            publicSets[file.path] = exported
            let imported = descriptor.dependency.map { publicSets[$0, default: []] }
            symbols.setVisible(imported.reduce([file.path]) { $0.union($1) }, to: file.path)
        }
    }
}

// MARK: - Declarations

extension Resolver {
    private mutating func declare(_ file: ParsedFile) {
        let descriptor = file.descriptor
        var package = ""
        for part in descriptor.package.split(separator: ".") {
            package = Self.join(package, String(part))
            declare(package, .package, file, [PathNumber.File.package])
        }
        for (index, message) in descriptor.messageType.enumerated() {
            declare(message, package, file, [PathNumber.File.message, Int32(clamping: index)])
        }
        for (index, item) in descriptor.enumType.enumerated() {
            declare(item, package, file, [PathNumber.File.enumType, Int32(clamping: index)])
        }
        for (index, service) in descriptor.service.enumerated() {
            let path = [PathNumber.File.service, Int32(clamping: index)]
            let name = Self.join(package, service.name)
            declare(name, .service, file, path)
            for (position, method) in service.method.enumerated() {
                let methodPath = path + [PathNumber.Service.method, Int32(clamping: position)]
                declare(Self.join(name, method.name), .method, file, methodPath)
            }
        }
    }

    private mutating func declare(
        _ message: Google_Protobuf_DescriptorProto,
        _ scope: String,
        _ file: ParsedFile,
        _ path: [Int32]
    ) {
        let name = Self.join(scope, message.name)
        declare(name, .message, file, path)
        for (index, field) in message.field.enumerated() {
            let fieldPath = path + [PathNumber.Message.field, Int32(clamping: index)]
            declare(Self.join(name, field.name), .field, file, fieldPath)
        }
        for (index, oneof) in message.oneofDecl.enumerated() {
            let oneofPath = path + [PathNumber.Message.oneof, Int32(clamping: index)]
            declare(Self.join(name, oneof.name), .oneof, file, oneofPath)
        }
        for (index, nested) in message.nestedType.enumerated() {
            declare(nested, name, file, path + [PathNumber.Message.nested, Int32(clamping: index)])
        }
        for (index, item) in message.enumType.enumerated() {
            declare(item, name, file, path + [PathNumber.Message.enumType, Int32(clamping: index)])
        }
    }

    private mutating func declare(
        _ item: Google_Protobuf_EnumDescriptorProto,
        _ scope: String,
        _ file: ParsedFile,
        _ path: [Int32]
    ) {
        declare(Self.join(scope, item.name), .enum, file, path)
        for (index, value) in item.value.enumerated() {
            // Like C++, an enum's values are its siblings, not its children.
            let valuePath = path + [PathNumber.Enum.value, Int32(clamping: index)]
            declare(Self.join(scope, value.name), .enumValue, file, valuePath)
        }
    }

    private mutating func declare(
        _ name: String,
        _ kind: SymbolTable.Kind,
        _ file: ParsedFile,
        _ path: [Int32]
    ) {
        guard let existing = symbols.add(name, kind, path: file.path) else { return }
        let place = existing.path == file.path ? "" : " in file \"\(existing.path)\""
        let hint =
            kind == .enumValue ? "; enum values are siblings of their enum, not children of it" : ""
        fail(
            file,
            path,
            "\"\(name)\" is already defined\(place) as a \(existing.kind.rawValue)\(hint)"
        )
    }

    static func join(_ scope: String, _ name: String) -> String {
        scope.isEmpty ? name : "\(scope).\(name)"
    }
}

// MARK: - References

extension Resolver {
    private mutating func resolveNames(_ file: inout ParsedFile) {
        var descriptor = file.descriptor
        for index in descriptor.messageType.indices {
            resolve(
                &descriptor.messageType[index],
                descriptor.package,
                file,
                [PathNumber.File.message, Int32(clamping: index)]
            )
        }
        for index in descriptor.service.indices {
            let scope = Self.join(descriptor.package, descriptor.service[index].name)
            for position in descriptor.service[index].method.indices {
                let path = [
                    PathNumber.File.service, Int32(clamping: index), PathNumber.Service.method,
                    Int32(clamping: position),
                ]
                var method = descriptor.service[index].method[position]
                method.inputType = messageName(
                    method.inputType,
                    scope,
                    file,
                    path + [PathNumber.Method.input]
                )
                method.outputType = messageName(
                    method.outputType,
                    scope,
                    file,
                    path + [PathNumber.Method.output]
                )
                descriptor.service[index].method[position] = method
            }
        }
        file.descriptor = descriptor
    }

    private mutating func resolve(
        _ message: inout Google_Protobuf_DescriptorProto,
        _ scope: String,
        _ file: ParsedFile,
        _ path: [Int32]
    ) {
        let name = Self.join(scope, message.name)
        for index in message.field.indices {
            let fieldPath = path + [PathNumber.Message.field, Int32(clamping: index)]
            if !message.field[index].hasJsonName {
                message.field[index].jsonName = NameStyle.json(message.field[index].name)
            }
            guard message.field[index].hasTypeName else { continue }
            resolveType(&message.field[index], name, file, fieldPath)
        }
        for index in message.nestedType.indices {
            resolve(
                &message.nestedType[index],
                name,
                file,
                path + [PathNumber.Message.nested, Int32(clamping: index)]
            )
        }
    }

    private mutating func resolveType(
        _ field: inout Google_Protobuf_FieldDescriptorProto,
        _ scope: String,
        _ file: ParsedFile,
        _ path: [Int32]
    ) {
        let place = path + [PathNumber.Field.typeName]
        guard let (name, symbol) = find(field.typeName, scope, file, place) else { return }
        switch symbol.kind {
        case .message: field.type = .message
        case .enum: field.type = .enum
        default: return fail(file, place, "\"\(field.typeName)\" is not a type")
        }
        if field.type == .message, field.hasDefaultValue {
            fail(file, path, "messages can't have default values")
        }
        field.typeName = "." + name
    }

    private mutating func messageName(
        _ reference: String,
        _ scope: String,
        _ file: ParsedFile,
        _ path: [Int32]
    ) -> String {
        guard let (name, symbol) = find(reference, scope, file, path) else { return reference }
        guard symbol.kind == .message else {
            fail(file, path, "\"\(reference)\" is not a message type")
            return reference
        }
        return "." + name
    }

    private mutating func find(
        _ reference: String,
        _ scope: String,
        _ file: ParsedFile,
        _ path: [Int32]
    ) -> (String, SymbolTable.Symbol)? {
        switch symbols.resolve(reference, scope: scope, path: file.path) {
        case .found(let name, let symbol): return (name, symbol)
        case .notImported(let symbol):
            fail(
                file,
                path,
                "\"\(reference)\" seems to be defined in \"\(symbol.path)\", which is not imported by \"\(file.path)\""
            )
        case .partial(let found):
            fail(
                file,
                path,
                "\"\(reference)\" is resolved to \"\(found)\", which has no such type; use a leading '.'"
            )
        case .missing: fail(file, path, "\"\(reference)\" is not defined")
        }
        return nil
    }
}
