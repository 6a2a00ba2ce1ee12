internal import NetpollProtobuf

/// All that emission needs to know of one field.
struct FieldModel {
    enum Shape {
        /// Always has a value; the default is not sent (proto3).
        case implicit
        /// Has a value or not.
        case optional
        case required
        case member(MessageNames.Oneof)
        case repeated
        case map(key: ValueModel, value: ValueModel)
    }

    let descriptor: Google_Protobuf_FieldDescriptorProto
    let slot: Int
    let value: ValueModel
    let shape: Shape
    /// Whether a singular message is kept in a `Box`, because its type is large or contains itself.
    let isBoxed: Bool

    let names: PropertyNames
    /// The stored property behind a computed one.
    let storage: String

    /// What generated code reads and writes: the stored property, or what is in its box.
    var stored: String { isBoxed ? "\(storage).value" : storage }

    /// What encoding gets: a message in a box is not taken out of it.
    var encoded: String { isBoxed && !value.isGroup ? storage : stored }

    init(
        _ descriptor: Google_Protobuf_FieldDescriptorProto,
        slot: Int,
        _ names: MessageNames.Field,
        memberOf oneof: MessageNames.Oneof? = nil,
        in message: String,
        _ file: Google_Protobuf_FileDescriptorProto,
        _ index: TypeIndex
    ) {
        self.descriptor = descriptor
        self.slot = slot
        self.names = names.property
        storage = names.storage
        value = ValueModel(descriptor, in: message, index)
        let isProto3 = file.syntax == "proto3"
        if let entry = index.mapEntry(of: descriptor), entry.field.count == 2 {
            shape = .map(
                key: ValueModel(entry.field[0], in: message, index),
                value: ValueModel(entry.field[1], in: message, index)
            )
        } else if descriptor.label == .repeated {
            shape = .repeated
        } else if let oneof {
            shape = .member(oneof)
        } else if descriptor.label == .required {
            shape = .required
        } else {
            shape = descriptor.isStored(isProto3: isProto3) ? .optional : .implicit
        }
        isBoxed = index.graph.isBoxed(descriptor, in: message)
        isPacked =
            descriptor.label == .repeated && value.isPackable
            && (descriptor.hasOptions && descriptor.options.hasPacked
                ? descriptor.options.packed : isProto3)
    }

    private let isPacked: Bool

    /// The `.proto` name behind a field's Swift names.
    static func swiftBaseName(
        _ field: Google_Protobuf_FieldDescriptorProto,
        _ index: TypeIndex
    ) -> String {
        guard field.type == .group else { return field.name }
        return index.messages[field.typeName]?.descriptor.name ?? field.name
    }

    /// The type of the property.
    var swiftType: String {
        switch shape {
        case .map(let key, let value): "[\(key.swiftType): \(value.swiftType)]"
        case .repeated: "[\(value.swiftType)]"
        default: value.swiftType
        }
    }

    /// The arguments of the field's entry in its message's schema.
    var schema: [String] {
        var parts = ["\(descriptor.number)", "\"\(descriptor.name)\""]
        switch shape {
        case .map(let key, let value):
            parts.append(".map(key: \(key.schemaKind), value: \(value.schemaKind))")
        default: parts.append(value.schemaKind)
        }
        if case .repeated = shape { parts.append(isPacked ? ".packed" : ".repeated") }
        if case .member(let oneof) = shape { parts.append("oneof: \(oneof.declaration.slot)") }
        if descriptor.hasJsonName, descriptor.jsonName != NameStyle.json(descriptor.name) {
            parts.append("jsonName: \(ValueModel.quote(descriptor.jsonName))")
        }
        if descriptor.proto3Optional { parts.append("isOptional: true") }
        return parts
    }
}

/// The type of one value: of a field, a list's element, or a map's key or value.
struct ValueModel {
    let swiftType: String
    let schemaKind: String
    /// The default value as Swift source.
    let defaultValue: String
    let isMessage: Bool
    let isGroup: Bool
    let isPackable: Bool
    /// Whether a list of such values looks in memory as in C.
    let isNumber: Bool

    /// - Parameters:
    ///   - field: The field.
    ///   - message: Where the value's type is named: a message, or an extension of it.
    ///   - index: All types.
    init(
        _ field: Google_Protobuf_FieldDescriptorProto,
        in message: String,
        _ index: TypeIndex
    ) {
        isMessage = field.type == .message || field.type == .group
        isGroup = field.type == .group
        isPackable = ![.string, .bytes, .message, .group].contains(field.type)
        isNumber = isPackable && field.type != .bool && field.type != .enum
        switch field.type {
        case .message, .group:
            swiftType = index.name(
                of: index.messages[field.typeName]?.swiftName ?? "Never",
                in: message
            )
            schemaKind = "\(isGroup ? ".group" : ".message") { \(swiftType).messageSchema }"
            defaultValue = "\(swiftType)()"
        case .enum:
            let type = index.enums[field.typeName]
            let name = index.name(of: type?.swiftName ?? "Never", in: message)
            swiftType = name
            schemaKind = type?.isClosed == true ? ".closed(\(name).self)" : ".open(\(name).self)"
            defaultValue = Self.enumDefault(field, type, name)
        default:
            let (type, kind, zero) = Self.scalar(field.type)
            swiftType = type
            schemaKind = kind
            defaultValue = field.hasDefaultValue ? Self.scalarDefault(field) : zero
        }
    }

    private static func enumDefault(
        _ field: Google_Protobuf_FieldDescriptorProto,
        _ type: TypeIndex.EnumType?,
        _ swiftType: String
    ) -> String {
        guard let type, let first = type.descriptor.value.first else { return "nil" }
        let name = field.hasDefaultValue ? field.defaultValue : first.name
        let cases = SwiftNames.enumCases(type.descriptor)
        guard let position = type.descriptor.value.firstIndex(where: { $0.name == name }) else {
            return "\(swiftType)()"
        }
        return "." + cases[position]
    }

    private static func scalar(
        _ type: Google_Protobuf_FieldDescriptorProto.TypeEnum
    ) -> (swift: String, kind: String, zero: String) {
        switch type {
        case .double: ("Double", ".double", "0")
        case .float: ("Float", ".float", "0")
        case .int64: ("Int64", ".int64", "0")
        case .uint64: ("UInt64", ".uint64", "0")
        case .int32: ("Int32", ".int32", "0")
        case .fixed64: ("UInt64", ".fixed64", "0")
        case .fixed32: ("UInt32", ".fixed32", "0")
        case .bool: ("Bool", ".bool", "false")
        case .string: ("String", ".string", "\"\"")
        case .bytes: ("[UInt8]", ".bytes", "[]")
        case .uint32: ("UInt32", ".uint32", "0")
        case .sfixed32: ("Int32", ".sfixed32", "0")
        case .sfixed64: ("Int64", ".sfixed64", "0")
        case .sint32: ("Int32", ".sint32", "0")
        case .sint64: ("Int64", ".sint64", "0")
        case .message, .group, .enum: ("Never", ".bytes", "nil")
        }
    }

    private static func scalarDefault(_ field: Google_Protobuf_FieldDescriptorProto) -> String {
        let text = field.defaultValue
        switch field.type {
        case .string: return quote(text)
        case .bytes: return bytesLiteral(text)
        case .double, .float:
            switch text {
            case "inf": return ".infinity"
            case "-inf": return "-.infinity"
            case "nan": return ".nan"
            // Without a point, -0 would be the integer 0.
            default: return text.contains { ".e".contains($0) } ? text : text + ".0"
            }
        default: return text
        }
    }

    static func quote(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars { result += scalar.escaped(asASCII: false) }
        return result + "\""
    }

    /// The array that a bytes default describes, which descriptors write with C's escapes.
    private static func bytesLiteral(_ text: String) -> String {
        let bytes = EscapedBytes.decode(text)
        if bytes.allSatisfy({ (0x20..<0x7F).contains($0) }) {
            return bytes.isEmpty
                ? "[]" : "Swift.Array(\(quote(String(decoding: bytes, as: UTF8.self))).utf8)"
        }
        return "[\(bytes.map(String.init).joined(separator: ", "))]"
    }
}
