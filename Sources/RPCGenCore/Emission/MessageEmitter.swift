internal import NetpollProtobuf

/// Writes the Swift types of one message and everything declared in it.
struct MessageEmitter {
    let index: TypeIndex
    let file: Google_Protobuf_FileDescriptorProto
    let comments: Comments
    let visibility: String

    /// Writes the struct; its conformance comes later in the file, from ``emitConformance(_:_:to:)``.
    func emitType(
        _ message: Google_Protobuf_DescriptorProto,
        _ scope: String,
        _ path: [Int32],
        to writer: inout SourceWriter
    ) {
        let name = "\(scope).\(message.name)"
        guard let type = index.messages[name], let names = index.names[name] else { return }
        let model = fields(type, names, name)
        writer.comment(comments[path])
        writer.deprecation(message.options.deprecated, "message")
        writer.block(
            "\(visibility) struct \(lastComponent(type.swiftName)): Swift.Sendable, Swift.Hashable"
        ) { writer in
            for field in model { emitProperty(field, path, &writer) }
            for oneof in names.oneofs {
                let slot = Int32(clamping: oneof.declaration.slot)
                writer.comment(comments[path + [PathNumber.Message.oneof, slot]])
                writer.line("\(visibility) var \(oneof.property): \(oneof.declaration.type)?")
                writer.line()
            }
            if !message.extensionRange.isEmpty {
                writer.line("/// For the runtime; every extension has a property of its own.")
                writer.line("\(visibility) var extensionFields = NetpollProtobuf.ExtensionFields()")
                writer.line()
            }
            writer.line("\(visibility) var unknownFields = NetpollProtobuf.UnknownFields()")
            writer.line()
            for oneof in names.oneofs { emitOneof(oneof.declaration, model, &writer) }
            for (position, item) in message.enumType.enumerated() {
                EnumEmitter(file: file, comments: comments, visibility: visibility).emit(
                    item,
                    index.enums["\(name).\(item.name)"],
                    path + [PathNumber.Message.enumType, Int32(clamping: position)],
                    to: &writer
                )
                writer.line()
            }
            for (position, nested) in message.nestedType.enumerated() where !isMapEntry(nested) {
                emitType(
                    nested,
                    name,
                    path + [PathNumber.Message.nested, Int32(clamping: position)],
                    to: &writer
                )
                writer.line()
            }
            writer.line("\(visibility) init() {}")
            let stored = model.filter { $0.isStored }
            guard !stored.isEmpty else { return }
            writer.line()
            for field in stored { emitStorage(field, &writer) }
        }
    }

    private func emitProperty(
        _ field: FieldModel,
        _ path: [Int32],
        _ writer: inout SourceWriter
    ) {
        writer.comment(comments[path + [PathNumber.Message.field, Int32(clamping: field.slot)]])
        writer.deprecation(field.descriptor.options.deprecated, "field")
        let declaration = "\(visibility) var \(field.names.property): \(field.swiftType)"
        switch field.shape {
        case .implicit:
            writer.line("\(declaration) = \(field.value.defaultValue)")
        case .repeated:
            writer.line("\(declaration) = []")
        case .map:
            writer.line("\(declaration) = [:]")
        case .member(let oneof):
            let property = field.names.property
            writer.block(declaration) { writer in
                writer.block("get") { writer in
                    writer.line(
                        "if case .\(property)(let value)? = self.\(oneof.property) "
                            + "{ return value }"
                    )
                    writer.line("return \(field.value.defaultValue)")
                }
                writer.line(
                    "set { self.\(oneof.property) = "
                        + "\(oneof.declaration.type).\(property)(newValue) }"
                )
            }
        case .optional, .required:
            let stored = field.stored
            let names = field.names
            writer.block(declaration) { writer in
                writer.line("get { self.\(stored) ?? \(field.value.defaultValue) }")
                writer.line("set { self.\(stored) = newValue }")
            }
            writer.line("/// Whether `\(names.plain)` has been set.")
            writer.line("\(visibility) var has\(names.capitalized): Bool { self.\(stored) != nil }")
            writer.line("/// Takes the value of `\(names.plain)` away.")
            writer.line(
                "\(visibility) mutating func clear\(names.capitalized)() { self.\(stored) = nil }"
            )
        }
        writer.line()
    }

    private func emitStorage(_ field: FieldModel, _ writer: inout SourceWriter) {
        if field.isBoxed {
            writer.line(
                "fileprivate var \(field.storage) = NetpollProtobuf.Box<\(field.swiftType)>()"
            )
        } else {
            writer.line("fileprivate var \(field.storage): \(field.swiftType)?")
        }
    }

    private func emitOneof(
        _ oneof: TypeIndex.Oneof,
        _ model: [FieldModel],
        _ writer: inout SourceWriter
    ) {
        let members = model.filter { $0.isMember(of: oneof) }
        let keyword = members.contains { $0.isBoxed } ? "indirect enum" : "enum"
        writer.line("/// The members of `\(oneof.name)`.")
        let declaration = "\(visibility) \(keyword) \(oneof.type)"
        writer.block("\(declaration): Swift.Sendable, Swift.Hashable") { writer in
            for field in members { writer.line("case \(field.names.property)(\(field.swiftType))") }
        }
        writer.line()
    }

    // MARK: Helpers

    func fields(_ message: TypeIndex.MessageType, _ names: MessageNames, _ name: String)
        -> [FieldModel]
    {
        let oneofs = Dictionary(
            uniqueKeysWithValues: names.oneofs.map { ($0.declaration.slot, $0) }
        )
        return message.descriptor.field.enumerated().map { slot, field in
            FieldModel(
                field,
                slot: slot,
                names.fields[slot],
                memberOf: field.hasOneofIndex ? oneofs[Int(field.oneofIndex)] : nil,
                in: name,
                file,
                index
            )
        }
    }

    func isMapEntry(_ message: Google_Protobuf_DescriptorProto) -> Bool {
        message.hasOptions && message.options.mapEntry
    }

    private func lastComponent(_ name: String) -> Substring {
        name.lastIndex(of: ".").map { name[name.index(after: $0)...] } ?? name[...]
    }
}

extension FieldModel {
    func isMember(of oneof: TypeIndex.Oneof) -> Bool {
        if case .member(let other) = shape { other.declaration.slot == oneof.slot } else { false }
    }

    /// Whether the field has a property of its own behind the public one.
    var isStored: Bool {
        switch shape {
        case .optional, .required: true
        default: false
        }
    }
}
