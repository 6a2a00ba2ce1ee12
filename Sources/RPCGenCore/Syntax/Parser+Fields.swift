internal import NetpollProtobuf

extension Parser {
    static let labels: [String: Google_Protobuf_FieldDescriptorProto.Label] = [
        "optional": .optional, "required": .required, "repeated": .repeated,
    ]

    private static let builtInTypes: [String: Google_Protobuf_FieldDescriptorProto.TypeEnum] = [
        "double": .double, "float": .float, "int32": .int32, "int64": .int64, "uint32": .uint32,
        "uint64": .uint64, "sint32": .sint32, "sint64": .sint64, "fixed32": .fixed32,
        "fixed64": .fixed64, "sfixed32": .sfixed32, "sfixed64": .sfixed64, "bool": .bool,
        "string": .string, "bytes": .bytes, "group": .group,
    ]

    /// The type of a field, or of a map's key or value.
    private enum FieldType {
        case builtIn(Google_Protobuf_FieldDescriptorProto.TypeEnum)
        /// Whether it is a message or an enum is known when names are resolved.
        case named(String)

        func set(in field: inout Google_Protobuf_FieldDescriptorProto) {
            switch self {
            case .builtIn(let type): field.type = type
            case .named(let name): field.typeName = name
            }
        }
    }

    private struct MapType {
        let key: FieldType
        let value: FieldType
    }

    mutating func parseField(
        _ start: Google_Protobuf_FieldDescriptorProto,
        _ location: Element,
        _ scope: inout FieldScope
    ) throws(Failure) -> Google_Protobuf_FieldDescriptorProto {
        var field = start
        if let label = Self.labels[token.text] {
            record(path(location, PathNumber.Field.label), from: token, to: token)
            advance()
            field.label = label
            if label == .optional, isProto3 { field.proto3Optional = true }
        }
        return try parseFieldWithoutLabel(field, location, &scope)
    }

    mutating func parseFieldWithoutLabel(
        _ start: Google_Protobuf_FieldDescriptorProto,
        _ location: Element,
        _ scope: inout FieldScope
    ) throws(Failure) -> Google_Protobuf_FieldDescriptorProto {
        var field = start
        let map = try parseFieldType(&field, location)
        let name = token
        field.name = try record(path(location, PathNumber.Field.name)) { (parser) throws(Failure) in
            try parser.identifier("a field name")
        }
        try expect("=", "the field has no number: ")
        field.number = try record(path(location, PathNumber.Field.number)) {
            (parser) throws(Failure) in
            try parser.int32("a field number")
        }
        try parseFieldOptions(&field, location)
        if field.hasType, field.type == .group {
            try parseGroup(&field, name, location, &scope)
        } else {
            try expectEnd(";", of: location)
        }
        if let map {
            // The message of the map's entries is one level deeper.
            try checkDepth(scope.depth + 1)
            scope.nested.append(entry(for: &field, map))
        }
        return field
    }

    // MARK: Types

    private mutating func parseFieldType(
        _ field: inout Google_Protobuf_FieldDescriptorProto,
        _ location: Element
    ) throws(Failure) -> MapType? {
        var element = open(location.path)
        let start = token
        if take("map"), isAt("<") {
            let map = try parseMapType(field)
            field.label = .repeated
            locations.append(PathNumber.Field.typeName, to: &element)
            close(element)
            return map
        }
        if !field.hasLabel {
            if !isProto3 { report("expected \"required\", \"optional\" or \"repeated\"") }
            field.label = .optional
        }
        // A message may be called "map".
        let type = start.text == "map" ? FieldType.named("map") : try parseType()
        type.set(in: &field)
        let number = field.hasType ? PathNumber.Field.type : PathNumber.Field.typeName
        locations.append(number, to: &element)
        close(element)
        return nil
    }

    private mutating func parseMapType(_ field: Google_Protobuf_FieldDescriptorProto)
        throws(Failure) -> MapType
    {
        if field.hasOneofIndex { throw fail("a map cannot be part of a oneof") }
        if field.hasLabel { throw fail("a map field has no label") }
        if field.hasExtendee { throw fail("an extension cannot be a map") }
        try expect("<")
        if isAt("group") { report("the key of a map must be an integer, a bool or a string") }
        let key = try parseType()
        try expect(",")
        if isAt("group") { report("the value of a map cannot be a group") }
        let value = try parseType()
        try expect(">")
        return MapType(key: key, value: value)
    }

    private mutating func parseType() throws(Failure) -> FieldType {
        if let type = Self.builtInTypes[token.text] {
            advance()
            return .builtIn(type)
        }
        return .named(try typeName())
    }

    /// The name of a message or enum, with a dot before it if it is absolute.
    mutating func typeName() throws(Failure) -> String {
        if Self.builtInTypes[token.text] != nil {
            report("expected a message type but found \(token.shown)")
            defer { advance() }
            return token.text
        }
        var name = take(".") ? "." : ""
        name += try identifier("a type name")
        while take(".") { name += "." + (try identifier("a type name")) }
        return name
    }

    // MARK: Groups and maps

    /// A group declares a message type and a field of it with one name.
    private mutating func parseGroup(
        _ field: inout Google_Protobuf_FieldDescriptorProto,
        _ name: Token,
        _ location: Element,
        _ scope: inout FieldScope
    ) throws(Failure) {
        let element = open(
            path(scope.parent, scope.nestedNumber, Int32(clamping: scope.nested.count))
        )
        locations.move(element, toStartOf: location)
        var group = Google_Protobuf_DescriptorProto()
        group.name = name.text
        record(path(element, PathNumber.Message.name), from: name, to: name)
        record(path(location, PathNumber.Field.typeName), from: name, to: name)
        if !(name.text.utf8.first.map { (0x41...0x5A).contains($0) } ?? false) {
            report("the name of a group must begin with a capital letter", at: name)
        }
        field.name = name.text.lowercased()
        field.typeName = name.text
        guard isAt("{") else { throw fail("the group has no body") }
        try parseMessageBlock(&group, element, scope.depth + 1)
        close(element)
        scope.nested.append(group)
    }

    /// The message behind a map field: a key and a value.
    private func entry(
        for field: inout Google_Protobuf_FieldDescriptorProto,
        _ map: MapType
    ) -> Google_Protobuf_DescriptorProto {
        var entry = Google_Protobuf_DescriptorProto()
        entry.name = NameStyle.mapEntry(field.name)
        field.typeName = entry.name
        for (name, type) in [("key", map.key), ("value", map.value)] {
            var part = Google_Protobuf_FieldDescriptorProto()
            part.name = name
            part.label = .optional
            part.number = Int32(clamping: entry.field.count + 1)
            type.set(in: &part)
            entry.field.append(part)
        }
        entry.options.mapEntry = true
        return entry
    }
}
