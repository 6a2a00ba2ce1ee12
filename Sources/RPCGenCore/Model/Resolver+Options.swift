internal import NetpollProtobuf

/// Third pass: options move from the form in which they were written to their fields.
extension Resolver {
    mutating func interpretOptions() {
        var descriptor = file.descriptor
        var paths = InterpretedPaths()
        let symbols = table.files[fileIndex]
        let package = symbols.package
        for index in descriptor.messageType.indices {
            interpret(
                &descriptor.messageType[index],
                symbols.messages[index],
                [PathNumber.File.message, Int32(clamping: index)],
                &paths
            )
        }
        for index in descriptor.enumType.indices {
            let path = [PathNumber.File.enumType, Int32(clamping: index)]
            interpret(&descriptor.enumType[index], package, path, &paths)
        }
        for index in descriptor.service.indices {
            let path = [PathNumber.File.service, Int32(clamping: index)]
            interpret(&descriptor.service[index], package, path, &paths)
        }
        for index in descriptor.extension.indices {
            let path = [PathNumber.File.extension, Int32(clamping: index)]
            interpret(
                &descriptor.extension[index],
                symbols.extensions[index],
                path,
                &paths
            )
        }
        if descriptor.hasOptions {
            let path = [PathNumber.File.options]
            descriptor.options = interpreted(descriptor.options, package, path, &paths)
            table.files[fileIndex].isLite = descriptor.options.optimizeFor == .liteRuntime
        }
        paths.apply(to: &descriptor.sourceCodeInfo)
        file.descriptor = descriptor
    }

    private mutating func interpret(
        _ message: inout Google_Protobuf_DescriptorProto,
        _ id: SymbolTable.ID,
        _ path: [Int32],
        _ paths: inout InterpretedPaths
    ) {
        let symbols = table.message(id)
        let scope = table[id].scope
        for index in message.oneofDecl.indices where message.oneofDecl[index].hasOptions {
            let oneofPath = path + [PathNumber.Message.oneof, Int32(clamping: index)]
            message.oneofDecl[index].options = interpreted(
                message.oneofDecl[index].options,
                id,
                oneofPath + [PathNumber.Oneof.options],
                &paths
            )
        }
        for index in message.field.indices {
            let fieldPath = path + [PathNumber.Message.field, Int32(clamping: index)]
            interpret(&message.field[index], symbols.fields[index], fieldPath, &paths)
        }
        for index in message.enumType.indices {
            let enumPath = path + [PathNumber.Message.enumType, Int32(clamping: index)]
            interpret(&message.enumType[index], id, enumPath, &paths)
        }
        for index in message.extensionRange.indices where message.extensionRange[index].hasOptions {
            let rangePath = path + [PathNumber.Message.extensionRange, Int32(clamping: index)]
            message.extensionRange[index].options = interpreted(
                message.extensionRange[index].options,
                scope,
                rangePath + [PathNumber.Range.options],
                &paths
            )
        }
        for index in message.extension.indices {
            let fieldPath = path + [PathNumber.Message.extension, Int32(clamping: index)]
            interpret(&message.extension[index], symbols.extensions[index], fieldPath, &paths)
        }
        for index in message.nestedType.indices {
            let nestedPath = path + [PathNumber.Message.nested, Int32(clamping: index)]
            interpret(&message.nestedType[index], symbols.messages[index], nestedPath, &paths)
        }
        guard message.hasOptions else { return }
        let optionsPath = path + [PathNumber.Message.options]
        message.options = interpreted(message.options, scope, optionsPath, &paths)
        let options = message.options
        table.updateMessage(id) {
            $0.isMessageSet = options.messageSetWireFormat
            $0.isMapEntry = options.mapEntry
        }
    }

    private mutating func interpret(
        _ field: inout Google_Protobuf_FieldDescriptorProto,
        _ id: SymbolTable.ID,
        _ path: [Int32],
        _ paths: inout InterpretedPaths
    ) {
        guard field.hasOptions else { return }
        let optionsPath = path + [PathNumber.Field.options]
        field.options = interpreted(field.options, table[id].scope, optionsPath, &paths)
        let packed = field.options.hasPacked ? field.options.packed : nil
        table.updateField(id) { $0.packed = packed }
    }

    private mutating func interpret(
        _ item: inout Google_Protobuf_EnumDescriptorProto,
        _ scope: SymbolTable.ID,
        _ path: [Int32],
        _ paths: inout InterpretedPaths
    ) {
        for index in item.value.indices where item.value[index].hasOptions {
            let valuePath = path + [PathNumber.Enum.value, Int32(clamping: index)]
            item.value[index].options = interpreted(
                item.value[index].options,
                scope,
                valuePath + [PathNumber.EnumValue.options],
                &paths
            )
        }
        guard item.hasOptions else { return }
        item.options = interpreted(item.options, scope, path + [PathNumber.Enum.options], &paths)
    }

    private mutating func interpret(
        _ service: inout Google_Protobuf_ServiceDescriptorProto,
        _ package: SymbolTable.ID,
        _ path: [Int32],
        _ paths: inout InterpretedPaths
    ) {
        let id = table.child(service.name, of: package) ?? package
        for index in service.method.indices where service.method[index].hasOptions {
            let methodPath = path + [PathNumber.Service.method, Int32(clamping: index)]
            service.method[index].options = interpreted(
                service.method[index].options,
                id,
                methodPath + [PathNumber.Method.options],
                &paths
            )
        }
        guard service.hasOptions else { return }
        let optionsPath = path + [PathNumber.Service.options]
        service.options = interpreted(service.options, package, optionsPath, &paths)
    }

    /// An options message with its options interpreted; after an error, as it was.
    private mutating func interpreted<Options: OptionsMessage>(
        _ options: Options,
        _ scope: SymbolTable.ID,
        _ path: [Int32],
        _ paths: inout InterpretedPaths
    ) -> Options {
        guard !options.uninterpretedOption.isEmpty else { return options }
        var wire = WireWriter()
        var set = SetOptions()
        for (index, option) in options.uninterpretedOption.enumerated() {
            let source = path + [PathNumber.Option.uninterpreted, Int32(clamping: index)]
            do throws(OptionError) {
                let target = try write(
                    option,
                    Options.protoMessageName,
                    scope,
                    to: &wire,
                    &set
                )
                paths.add(source, path + target.path, isRepeated: target.isRepeated)
            } catch {
                let number = error.isAboutName ? PathNumber.Option.name : option.valueNumber
                fail(source + [number], error.message)
                return options
            }
        }
        do throws(ProtobufError) {
            var result = try Options(serializedBytes: wire.bytes)
            Self.keepRawText(of: wire.bytes, in: &result)
            return result
        } catch {
            fail(path, "the options cannot be read with the built-in descriptor.proto: \(error)")
            return options
        }
    }

    /// Keeps strings of built-in options as they are if they are not UTF-8.
    private static func keepRawText<Options: OptionsMessage>(
        of bytes: [UInt8],
        in options: inout Options
    ) {
        let table = BuiltInTypes.table
        let declared = table.find(Options.protoMessageName).map { table.message($0).fields } ?? []
        let strings = declared.map { table.field($0) }.filter { $0.type == .string }
        guard !strings.isEmpty else { return }
        var fields = WireFields(bytes)
        while let (number, value) = fields.next() {
            guard strings.contains(where: { $0.number == number }), case .bytes(let text) = value
            else { continue }
            RawText(bytes: text).keep(asField: Int(number), in: &options.unknownFields)
        }
    }

    /// Interprets one option and returns the path of field numbers that it sets.
    private func write(
        _ option: Google_Protobuf_UninterpretedOption,
        _ optionsName: String,
        _ scope: SymbolTable.ID,
        to wire: inout WireWriter,
        _ set: inout SetOptions
    ) throws(OptionError) -> (path: [Int32], isRepeated: Bool) {
        let interpreter = OptionInterpreter(
            table: table,
            visibility: visibility,
            builtIn: BuiltInTypes.table
        )
        let target = try interpreter.target(of: option, in: optionsName, from: scope)
        guard let leaf = target.fields.last else { return ([], false) }
        if !leaf.isRepeated, set.contains(target.path[...]) {
            throw .name("option \"\(target.table.shownName(leaf.id))\" has already been set")
        }
        let value = try interpreter.value(of: option, for: target)
        set.insert(target.path[...], value)
        var wrapped = value
        for (inner, outer) in zip(target.fields, target.fields.dropFirst()).reversed() {
            var message = WireWriter()
            wrapped.write(outer.number, to: &message)
            wrapped = inner.type == .group ? .group(message.bytes) : .bytes(message.bytes)
        }
        wrapped.write(target.path[0], to: &wire)
        return (target.path, leaf.isRepeated)
    }
}

/// A message of options, of which there is one for each kind of declaration.
protocol OptionsMessage: Message {
    var uninterpretedOption: [Google_Protobuf_UninterpretedOption] { get }
}

extension Google_Protobuf_FileOptions: OptionsMessage {}
extension Google_Protobuf_MessageOptions: OptionsMessage {}
extension Google_Protobuf_FieldOptions: OptionsMessage {}
extension Google_Protobuf_OneofOptions: OptionsMessage {}
extension Google_Protobuf_EnumOptions: OptionsMessage {}
extension Google_Protobuf_EnumValueOptions: OptionsMessage {}
extension Google_Protobuf_ServiceOptions: OptionsMessage {}
extension Google_Protobuf_MethodOptions: OptionsMessage {}
extension Google_Protobuf_ExtensionRangeOptions: OptionsMessage {}

extension Google_Protobuf_UninterpretedOption {
    /// The field that holds the value.
    fileprivate var valueNumber: Int32 {
        if hasIdentifierValue { return PathNumber.Option.identifierValue }
        if hasPositiveIntValue { return PathNumber.Option.positiveIntValue }
        if hasNegativeIntValue { return PathNumber.Option.negativeIntValue }
        if hasDoubleValue { return PathNumber.Option.doubleValue }
        if hasStringValue { return PathNumber.Option.stringValue }
        return PathNumber.Option.aggregateValue
    }
}
