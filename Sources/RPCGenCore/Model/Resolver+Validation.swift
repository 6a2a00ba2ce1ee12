internal import NetpollProtobuf

extension Resolver {
    /// Reports what makes sense to the parser but not to protobuf.
    mutating func validate(_ file: ParsedFile) {
        for (index, message) in file.descriptor.messageType.enumerated() {
            validate(message, file, [PathNumber.File.message, Int32(clamping: index)])
        }
        for (index, item) in file.descriptor.enumType.enumerated() {
            validate(item, file, [PathNumber.File.enumType, Int32(clamping: index)])
        }
    }

    private mutating func validate(
        _ message: Google_Protobuf_DescriptorProto,
        _ file: ParsedFile,
        _ path: [Int32]
    ) {
        var byNumber: [Int32: String] = [:]
        var byJSONName: [String: String] = [:]
        for (index, field) in message.field.enumerated() {
            let fieldPath = path + [PathNumber.Message.field, Int32(clamping: index)]
            let numberPath = fieldPath + [PathNumber.Field.number]
            if let other = byNumber.updateValue(field.name, forKey: field.number) {
                fail(
                    file,
                    numberPath,
                    "field number \(field.number) has already been used in \"\(message.name)\" by field \"\(other)\""
                )
            }
            validateNumber(field, message, file, fieldPath)
            let json = field.hasJsonName ? field.jsonName : NameStyle.json(field.name)
            if let other = byJSONName.updateValue(field.name, forKey: json), file.isProto3 {
                fail(
                    file,
                    fieldPath,
                    "the JSON name of field \"\(field.name)\" (\"\(json)\") conflicts with that of field \"\(other)\""
                )
            }
        }
        validateRanges(message, file, path)
        for (index, nested) in message.nestedType.enumerated() {
            validate(nested, file, path + [PathNumber.Message.nested, Int32(clamping: index)])
        }
        for (index, item) in message.enumType.enumerated() {
            validate(item, file, path + [PathNumber.Message.enumType, Int32(clamping: index)])
        }
    }

    private mutating func validateNumber(
        _ field: Google_Protobuf_FieldDescriptorProto,
        _ message: Google_Protobuf_DescriptorProto,
        _ file: ParsedFile,
        _ path: [Int32]
    ) {
        let numberPath = path + [PathNumber.Field.number]
        if (19_000...19_999).contains(field.number) {
            fail(
                file,
                numberPath,
                "field numbers 19000 through 19999 are reserved for the protobuf implementation"
            )
        }
        if message.reservedRange.contains(where: {
            $0.start <= field.number && field.number < $0.end
        }) {
            fail(file, numberPath, "field \"\(field.name)\" uses reserved number \(field.number)")
        }
        if message.extensionRange.contains(where: {
            $0.start <= field.number && field.number < $0.end
        }) {
            fail(
                file,
                numberPath,
                "field \"\(field.name)\" uses number \(field.number) of an extension range"
            )
        }
        if message.reservedName.contains(field.name) {
            fail(file, path, "field name \"\(field.name)\" is reserved")
        }
    }

    private mutating func validateRanges(
        _ message: Google_Protobuf_DescriptorProto,
        _ file: ParsedFile,
        _ path: [Int32]
    ) {
        let ranges =
            message.reservedRange.map { ($0.start, $0.end, "reserved") }
            + message.extensionRange.map { ($0.start, $0.end, "extension") }
        let sorted = ranges.sorted { $0.0 < $1.0 }
        for (left, right) in zip(sorted, sorted.dropFirst()) where right.0 < left.1 {
            fail(
                file,
                path,
                "\(right.2) range \(right.0) to \(right.1 - 1) overlaps with \(left.2) range \(left.0) to \(left.1 - 1)"
            )
        }
        var names = Set<String>()
        for name in message.reservedName where !names.insert(name).inserted {
            fail(file, path, "field name \"\(name)\" is reserved multiple times")
        }
    }

    private mutating func validate(
        _ item: Google_Protobuf_EnumDescriptorProto,
        _ file: ParsedFile,
        _ path: [Int32]
    ) {
        let firstPath = path + [PathNumber.Enum.value, 0, PathNumber.EnumValue.number]
        if file.isProto3, let first = item.value.first, first.number != 0 {
            fail(file, firstPath, "the first enum value must be zero in proto3")
        }
        let allowsAlias = item.options.uninterpretedOption.contains {
            $0.simpleName == "allow_alias" && $0.boolean == true
        }
        var byNumber: [Int32: String] = [:]
        for (index, value) in item.value.enumerated() {
            let valuePath = path + [PathNumber.Enum.value, Int32(clamping: index)]
            let numberPath = valuePath + [PathNumber.EnumValue.number]
            if let other = byNumber[value.number], !allowsAlias {
                fail(
                    file,
                    numberPath,
                    "\"\(value.name)\" uses the same enum value as \"\(other)\"; "
                        + "if this is intended, set 'option allow_alias = true;' in the enum"
                )
            }
            byNumber[value.number] = byNumber[value.number] ?? value.name
            if item.reservedRange.contains(where: {
                $0.start <= value.number && value.number <= $0.end
            }) {
                fail(
                    file,
                    numberPath,
                    "enum value \"\(value.name)\" uses reserved number \(value.number)"
                )
            }
            if item.reservedName.contains(value.name) {
                fail(file, valuePath, "enum value \"\(value.name)\" is reserved")
            }
        }
    }
}
