internal import NetpollProtobuf

/// The part of a message that the runtime calls.
extension MessageEmitter {
    /// Writes the conformances of a message and of those declared in it.
    func emitConformance(
        _ message: Google_Protobuf_DescriptorProto,
        _ scope: String,
        to writer: inout SourceWriter
    ) {
        let name = "\(scope).\(message.name)"
        guard let type = index.messages[name], let names = index.names[name] else { return }
        let model = fields(type, names, name)
        writer.line()
        let isExtensible = !message.extensionRange.isEmpty
        let conformance = isExtensible ? "ExtensibleMessage" : "Message"
        writer.block("extension \(type.swiftName): NetpollProtobuf.\(conformance)") { writer in
            writer.line("\(visibility) static let protoMessageName = \"\(name.dropFirst())\"")
            emitSchema(
                model,
                extras(of: message, index.name(of: type.swiftName, in: name)),
                &writer
            )
            writer.line()
            emitFunction(
                "func encodeFields(into encoder: inout NetpollProtobuf.FieldEncoder)",
                &writer
            ) { writer in
                for field in model { emitEncoding(field, &writer) }
                for oneof in names.oneofs { emitOneofEncoding(oneof, model, &writer) }
                if isExtensible { writer.line("try encoder.extensions(self.extensionFields)") }
            }
            writer.line()
            emitFunction(
                "mutating func decodeFields(from decoder: NetpollProtobuf.FieldDecoder)",
                &writer
            ) { writer in
                for field in model { emitDecoding(field, &writer) }
            }
        }
        for nested in message.nestedType where !isMapEntry(nested) {
            emitConformance(nested, name, to: &writer)
        }
    }

    /// What a schema says beside the name and the fields.
    private func extras(of message: Google_Protobuf_DescriptorProto, _ swiftName: String)
        -> [String]
    {
        var extras: [String] = []
        if file.syntax != "proto3" { extras.append("repairsStrings: true") }
        if message.options.messageSetWireFormat { extras.append("isMessageSet: true") }
        if !message.extensionRange.isEmpty { extras.append("extensibleType: \(swiftName).self") }
        return extras
    }

    private func emitSchema(
        _ model: [FieldModel],
        _ extras: [String],
        _ writer: inout SourceWriter
    ) {
        writer.lines(
            "\(visibility) static let messageSchema: NetpollProtobuf.MessageSchema = .init(",
            ")"
        ) { writer in
            let end = extras.isEmpty ? "" : ","
            writer.line("protoMessageName,")
            if model.isEmpty {
                writer.line("[]\(end)")
            } else {
                writer.lines("[", "]\(end)") { writer in
                    for field in model {
                        writer.call(".init", field.schema, end: model.count > 1 ? "," : "")
                    }
                }
            }
            for (position, extra) in extras.enumerated() {
                writer.line(extra + (position + 1 < extras.count ? "," : ""))
            }
        }
    }

    private func emitFunction(
        _ signature: String,
        _ writer: inout SourceWriter,
        _ body: (inout SourceWriter) -> Void
    ) {
        writer.line("\(visibility) \(signature)")
        writer.line("    throws(NetpollProtobuf.ProtobufError)")
        writer.lines("{", "}", body)
    }

    // MARK: Encoding

    private func emitEncoding(_ field: FieldModel, _ writer: inout SourceWriter) {
        let kind = field.value.kind
        let property = field.names.property
        switch field.shape {
        case .implicit: writer.line("try encoder.implicit(\(field.slot), self.\(property))")
        case .optional:
            writer.line("try encoder.\(kind.optionalStore)(\(field.slot), self.\(field.encoded))")
        case .required:
            writer.line("try encoder.\(kind.requiredStore)(\(field.slot), self.\(field.encoded))")
        case .repeated:
            writer.line("try encoder.\(kind.repeatedStore)(\(field.slot), self.\(property))")
        case .map(_, let value):
            let call = value.isMessage ? "messageMap" : "map"
            writer.line("try encoder.\(call)(\(field.slot), self.\(property))")
        case .member: break
        }
    }

    private func emitOneofEncoding(
        _ oneof: MessageNames.Oneof,
        _ model: [FieldModel],
        _ writer: inout SourceWriter
    ) {
        writer.lines("switch self.\(oneof.property) {", "}", indents: false) { writer in
            for field in model where field.isMember(of: oneof.declaration) {
                writer.line(
                    "case .\(field.names.property)(let value)?: "
                        + "try encoder.\(field.value.kind.memberStore)(\(field.slot), value)"
                )
            }
            writer.line("case nil: break")
        }
    }

    // MARK: Decoding

    private func emitDecoding(
        _ field: FieldModel,
        _ writer: inout SourceWriter
    ) {
        let kind = field.value.kind
        let property = field.names.property
        switch field.shape {
        case .implicit: writer.line("try decoder.implicit(\(field.slot), &self.\(property))")
        case .optional:
            writer.line("self.\(field.stored) = try decoder.\(kind.optionalLoad)(\(field.slot))")
        case .required:
            writer.line("self.\(field.stored) = try decoder.\(kind.requiredLoad)(\(field.slot))")
        case .repeated:
            writer.line("self.\(property) = try decoder.\(kind.repeatedLoad)(\(field.slot))")
        case .map(let key, let value):
            let call = value.isMessage ? "messageMap" : "map"
            var arguments = ["\(field.slot)", key.defaultValue]
            if !value.isMessage { arguments.append(value.defaultValue) }
            writer.call("self.\(property) = try decoder.\(call)", arguments)
        case .member(let oneof):
            writer.block(
                "if let value: \(field.swiftType) = try decoder.\(kind.optionalLoad)(\(field.slot))"
            ) { writer in
                writer.line(
                    "self.\(oneof.property) = "
                        + "\(oneof.declaration.type).\(property)(value)"
                )
            }
        }
    }
}

extension ValueModel {
    /// How the runtime treats a value.
    enum Kind {
        case number
        case plain
        case message
        case group

        var optionalStore: String {
            switch self {
            case .number, .plain: "optional"
            case .message: "message"
            case .group: "group"
            }
        }
        var requiredStore: String {
            switch self {
            case .number, .plain: "required"
            case .message: "requiredMessage"
            case .group: "requiredGroup"
            }
        }
        var memberStore: String {
            switch self {
            case .number, .plain: "store"
            case .message: "message"
            case .group: "group"
            }
        }
        var repeatedStore: String {
            switch self {
            case .number: "numbers"
            case .plain: "repeated"
            case .message: "messages"
            case .group: "groups"
            }
        }
        // Decoding needs no difference: groups were made messages before.
        var optionalLoad: String { isMessage ? "message" : "optional" }
        var requiredLoad: String { isMessage ? "requiredMessage" : "required" }
        var repeatedLoad: String {
            switch self {
            case .number: "numbers"
            case .plain: "repeated"
            case .message, .group: "messages"
            }
        }
        private var isMessage: Bool {
            switch self {
            case .number, .plain: false
            case .message, .group: true
            }
        }
    }

    var kind: Kind { isGroup ? .group : isMessage ? .message : isNumber ? .number : .plain }
}
