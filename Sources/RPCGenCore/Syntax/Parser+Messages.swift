internal import NetpollProtobuf

extension Parser {
    private static let fieldNumbers: ClosedRange<Int64> = 1...536_870_911

    mutating func parseMessage(_ path: [Int32], depth: Int) throws(Failure)
        -> Google_Protobuf_DescriptorProto
    {
        let start = advance()
        guard depth <= Self.nestingLimit else {
            throw fail(
                "messages are nested more than \(Self.nestingLimit) levels deep",
                at: start.location
            )
        }
        var message = Google_Protobuf_DescriptorProto()
        let name = token
        message.name = try identifier("a message name")
        note(
            path,
            Token(kind: name.kind, location: name.location, end: name.end, comment: start.comment)
        )
        try block("message \(message.name)") { (parser) throws(Failure) in
            try parser.parseMessageStatement(&message, path, depth)
        }
        addSyntheticOneofs(&message)
        return message
    }

    private mutating func parseMessageStatement(
        _ message: inout Google_Protobuf_DescriptorProto,
        _ path: [Int32],
        _ depth: Int
    ) throws(Failure) {
        guard case .identifier(let word) = token.kind else {
            if isAt(".") { return try parseField(&message, path, oneof: nil) }
            throw fail("expected a field, type or option but found \(token.shown)")
        }
        switch word {
        case "message":
            let index = Int32(clamping: message.nestedType.count)
            let nested = try parseMessage(
                path + [PathNumber.Message.nested, index],
                depth: depth + 1
            )
            message.nestedType.append(nested)
        case "enum":
            let index = Int32(clamping: message.enumType.count)
            message.enumType.append(try parseEnum(path + [PathNumber.Message.enumType, index]))
        case "oneof": try parseOneof(&message, path)
        case "reserved": try parseReserved(&message)
        case "extensions": try parseExtensionRanges(&message)
        case "extend": throw fail("extensions are not supported yet")
        case "option":
            advance()
            message.options.uninterpretedOption.append(try parseOption())
            try expect(";")
        default: try parseField(&message, path, oneof: nil)
        }
    }

    // MARK: Fields

    private mutating func parseField(
        _ message: inout Google_Protobuf_DescriptorProto,
        _ path: [Int32],
        oneof: Int32?
    ) throws(Failure) {
        let start = token
        let fieldPath = path + [PathNumber.Message.field, Int32(clamping: message.field.count)]
        var field = Google_Protobuf_FieldDescriptorProto()
        if let oneof { field.oneofIndex = oneof }
        let isLabelled = try parseLabel(&field, isInOneof: oneof != nil)
        file.locations[fieldPath + [PathNumber.Field.typeName]] = token.location
        if isAt(word: "map"), !isLabelled {
            return try parseMap(&message, path, start, isInOneof: oneof != nil)
        }
        if isAt(word: "group") { throw fail("groups are not supported yet") }
        try parseType(&field)
        try finishField(&field, fieldPath, start)
        message.field.append(field)
    }

    /// Returns whether a label was written.
    private mutating func parseLabel(
        _ field: inout Google_Protobuf_FieldDescriptorProto,
        isInOneof: Bool
    ) throws(Failure) -> Bool {
        field.label = .optional
        let location = token.location
        let isProto3 = file.isProto3
        if take(word: "repeated") {
            field.label = .repeated
        } else if take(word: "required") {
            guard !isProto3 else {
                throw fail("required fields are not allowed in proto3", at: location)
            }
            field.label = .required
        } else if take(word: "optional") {
            if isProto3 { field.proto3Optional = true }
        } else {
            guard isProto3 || isInOneof || isAt(word: "map") else {
                throw fail("expected \"required\", \"optional\", or \"repeated\"")
            }
            return false
        }
        guard !isInOneof else { throw fail("a field of a oneof has no label", at: location) }
        return true
    }

    private mutating func parseType(_ field: inout Google_Protobuf_FieldDescriptorProto)
        throws(Failure)
    {
        if case .identifier(let word) = token.kind, let scalar = Self.scalarTypes[word] {
            field.type = scalar
            advance()
        } else {
            // Whether it is a message or an enum is known when names are resolved.
            field.typeName = try qualifiedName("a type name", mayBeAbsolute: true)
        }
    }

    /// Name, number and options.
    private mutating func finishField(
        _ field: inout Google_Protobuf_FieldDescriptorProto,
        _ path: [Int32],
        _ start: Token
    ) throws(Failure) {
        let name = token
        field.name = try identifier("a field name")
        note(
            path,
            Token(kind: name.kind, location: name.location, end: name.end, comment: start.comment)
        )
        try expect("=")
        file.locations[path + [PathNumber.Field.number]] = token.location
        field.number = Int32(
            truncatingIfNeeded: try integer("a field number", in: Self.fieldNumbers)
        )
        try parseBracketOptions { (parser, option, location) throws(Failure) in
            try parser.apply(option, to: &field, location)
        }
        try expect(";")
    }

    private mutating func apply(
        _ option: Google_Protobuf_UninterpretedOption,
        to field: inout Google_Protobuf_FieldDescriptorProto,
        _ location: SourceLocation
    ) throws(Failure) {
        switch option.simpleName {
        case "default":
            guard !file.isProto3 else {
                throw fail("explicit default values are not allowed in proto3", at: location)
            }
            field.defaultValue = Self.defaultText(option, field)
        case "json_name":
            guard option.hasStringValue else {
                throw fail("json_name must be a string", at: location)
            }
            field.jsonName = String(decoding: option.stringValue, as: UTF8.self)
        default:
            field.options.uninterpretedOption.append(option)
        }
    }

    private static func defaultText(
        _ option: Google_Protobuf_UninterpretedOption,
        _ field: Google_Protobuf_FieldDescriptorProto
    ) -> String {
        if option.hasIdentifierValue { return option.identifierValue }
        if option.hasPositiveIntValue { return "\(option.positiveIntValue)" }
        if option.hasNegativeIntValue { return "\(option.negativeIntValue)" }
        if option.hasDoubleValue { return "\(option.doubleValue)" }
        return field.hasType && field.type == .bytes
            ? CEscape.text(option.stringValue) : String(decoding: option.stringValue, as: UTF8.self)
    }

    private static let scalarTypes: [String: Google_Protobuf_FieldDescriptorProto.TypeEnum] = [
        "double": .double, "float": .float, "int32": .int32, "int64": .int64, "uint32": .uint32,
        "uint64": .uint64, "sint32": .sint32, "sint64": .sint64, "fixed32": .fixed32,
        "fixed64": .fixed64, "sfixed32": .sfixed32, "sfixed64": .sfixed64, "bool": .bool,
        "string": .string, "bytes": .bytes,
    ]

    // MARK: Maps and oneofs

    /// `map<K, V>` becomes a repeated message with two fields.
    private mutating func parseMap(
        _ message: inout Google_Protobuf_DescriptorProto,
        _ path: [Int32],
        _ start: Token,
        isInOneof: Bool
    ) throws(Failure) {
        guard !isInOneof else { throw fail("a map cannot be part of a oneof") }
        advance()
        try expect("<")
        var key = Google_Protobuf_FieldDescriptorProto()
        let keyLocation = token.location
        try parseType(&key)
        guard key.hasType, ![.double, .float, .bytes].contains(key.type) else {
            throw fail("a map's key is an integer, a bool or a string", at: keyLocation)
        }
        try expect(",")
        let entryIndex = Int32(clamping: message.nestedType.count)
        let entryPath = path + [PathNumber.Message.nested, entryIndex]
        file.locations[entryPath + [PathNumber.Message.field, 1, PathNumber.Field.typeName]] =
            token.location
        var value = Google_Protobuf_FieldDescriptorProto()
        try parseType(&value)
        try expect(">")
        for (index, name) in ["key", "value"].enumerated() {
            func fill(_ part: inout Google_Protobuf_FieldDescriptorProto) {
                part.name = name
                part.number = Int32(index + 1)
                part.label = .optional
            }
            if index == 0 { fill(&key) } else { fill(&value) }
        }
        var field = Google_Protobuf_FieldDescriptorProto()
        field.label = .repeated
        let fieldPath = path + [PathNumber.Message.field, Int32(clamping: message.field.count)]
        try finishField(&field, fieldPath, start)
        var entry = Google_Protobuf_DescriptorProto()
        entry.name = NameStyle.mapEntry(field.name)
        entry.field = [key, value]
        entry.options.mapEntry = true
        field.typeName = entry.name
        file.locations[entryPath] = start.location
        message.nestedType.append(entry)
        message.field.append(field)
    }

    private mutating func parseOneof(
        _ message: inout Google_Protobuf_DescriptorProto,
        _ path: [Int32]
    ) throws(Failure) {
        let start = advance()
        let index = Int32(clamping: message.oneofDecl.count)
        var oneof = Google_Protobuf_OneofDescriptorProto()
        oneof.name = try identifier("a oneof name")
        note(path + [PathNumber.Message.oneof, index], start)
        message.oneofDecl.append(oneof)
        let firstField = message.field.count
        try block("oneof \(oneof.name)") { (parser) throws(Failure) in
            if parser.take(word: "option") {
                oneof.options.uninterpretedOption.append(try parser.parseOption())
                try parser.expect(";")
            } else {
                try parser.parseField(&message, path, oneof: index)
            }
        }
        message.oneofDecl[Int(index)] = oneof
        guard message.field.count > firstField else {
            throw fail("oneof \(oneof.name) has no fields", at: start.location)
        }
    }

    /// A proto3 `optional` field is the only member of a oneof of its own, behind the written ones.
    private func addSyntheticOneofs(_ message: inout Google_Protobuf_DescriptorProto) {
        var names = Set(message.oneofDecl.map(\.name) + message.field.map(\.name))
        for index in message.field.indices where message.field[index].proto3Optional {
            var name = "_" + message.field[index].name
            while names.contains(name) { name = "X" + name }
            names.insert(name)
            message.field[index].oneofIndex = Int32(clamping: message.oneofDecl.count)
            var oneof = Google_Protobuf_OneofDescriptorProto()
            oneof.name = name
            message.oneofDecl.append(oneof)
        }
    }

    // MARK: Ranges

    private mutating func parseReserved(_ message: inout Google_Protobuf_DescriptorProto)
        throws(Failure)
    {
        advance()
        if case .string = token.kind {
            repeat {
                message.reservedName.append(
                    String(decoding: try stringLiteral("a field name string"), as: UTF8.self)
                )
            } while take(",")
        } else {
            repeat {
                let (start, end) = try parseRange(Self.fieldNumbers)
                var range = Google_Protobuf_DescriptorProto.ReservedRange()
                range.start = Int32(truncatingIfNeeded: start)
                range.end = Int32(truncatingIfNeeded: end + 1)
                message.reservedRange.append(range)
            } while take(",")
        }
        try expect(";")
    }

    private mutating func parseExtensionRanges(_ message: inout Google_Protobuf_DescriptorProto)
        throws(Failure)
    {
        let keyword = advance()
        guard !file.isProto3 else {
            throw fail("extension ranges are not allowed in proto3", at: keyword.location)
        }
        let first = message.extensionRange.count
        repeat {
            let (start, end) = try parseRange(Self.fieldNumbers)
            var range = Google_Protobuf_DescriptorProto.ExtensionRange()
            range.start = Int32(truncatingIfNeeded: start)
            range.end = Int32(truncatingIfNeeded: end + 1)
            message.extensionRange.append(range)
        } while take(",")
        try parseBracketOptions { (_, option, _) throws(Failure) in
            for index in first..<message.extensionRange.count {
                message.extensionRange[index].options.uninterpretedOption.append(option)
            }
        }
        try expect(";")
    }

    /// `N`, `N to M` or `N to max`, both ends included.
    mutating func parseRange(_ numbers: ClosedRange<Int64>) throws(Failure) -> (
        start: Int64, end: Int64
    ) {
        let location = token.location
        let start = try integer("a number", in: numbers)
        guard take(word: "to") else { return (start, start) }
        if take(word: "max") { return (start, numbers.upperBound) }
        let end = try integer("a number", in: numbers)
        guard end >= start else { throw fail("a range ends before it starts", at: location) }
        return (start, end)
    }
}
