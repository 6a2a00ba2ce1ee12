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
        let swiftName = index.messages[name]?.swiftName ?? message.name
        let model = fields(message, name)
        writer.comment(comments[path])
        writer.deprecation(message.options.deprecated, "message")
        writer.block(
            "\(visibility) struct \(lastComponent(swiftName)): Swift.Sendable, Swift.Hashable"
        ) { writer in
            for field in model { emitProperty(field, path, message, &writer) }
            for (position, oneof) in realOneofs(message) {
                writer.comment(
                    comments[path + [PathNumber.Message.oneof, Int32(clamping: position)]]
                )
                let type = SwiftNames.oneofType(oneof.name)
                writer.line("\(visibility) var \(SwiftNames.property(oneof.name)): \(type)?")
                writer.line()
            }
            if !message.extensionRange.isEmpty {
                writer.line("/// For the runtime; every extension has a property of its own.")
                writer.line("\(visibility) var extensionFields = NetpollProtobuf.ExtensionFields()")
                writer.line()
            }
            writer.line("\(visibility) var unknownFields = NetpollProtobuf.UnknownFields()")
            writer.line()
            for (position, oneof) in realOneofs(message) {
                emitOneof(oneof, position, model, &writer)
            }
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
        _ message: Google_Protobuf_DescriptorProto,
        _ writer: inout SourceWriter
    ) {
        writer.comment(comments[path + [PathNumber.Message.field, Int32(clamping: field.slot)]])
        writer.deprecation(field.descriptor.options.deprecated, "field")
        let declaration = "\(visibility) var \(field.property): \(field.swiftType)"
        switch field.shape {
        case .implicit:
            writer.line("\(declaration) = \(field.value.defaultValue)")
        case .repeated:
            writer.line("\(declaration) = []")
        case .map:
            writer.line("\(declaration) = [:]")
        case .member(let oneof):
            let type = SwiftNames.oneofType(message.oneofDecl[oneof].name)
            let property = SwiftNames.property(message.oneofDecl[oneof].name)
            writer.block(declaration) { writer in
                writer.block("get") { writer in
                    writer.line(
                        "if case .\(field.property)(let value)? = self.\(property) { return value }"
                    )
                    writer.line("return \(field.value.defaultValue)")
                }
                writer.line("set { self.\(property) = \(type).\(field.property)(newValue) }")
            }
        case .optional, .required:
            let stored = field.stored
            writer.block(declaration) { writer in
                writer.line("get { self.\(stored) ?? \(field.value.defaultValue) }")
                writer.line("set { self.\(stored) = newValue }")
            }
            writer.line("/// Whether `\(field.property.filter { $0 != "`" })` has been set.")
            writer.line("\(visibility) var has\(field.capitalized): Bool { self.\(stored) != nil }")
            writer.line("/// Takes the value of `\(field.property.filter { $0 != "`" })` away.")
            writer.line(
                "\(visibility) mutating func clear\(field.capitalized)() { self.\(stored) = nil }"
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
        _ oneof: Google_Protobuf_OneofDescriptorProto,
        _ position: Int,
        _ model: [FieldModel],
        _ writer: inout SourceWriter
    ) {
        let members = model.filter { if case .member(position) = $0.shape { true } else { false } }
        let keyword = members.contains { $0.isBoxed } ? "indirect enum" : "enum"
        writer.line("/// The members of `\(oneof.name)`.")
        let type = SwiftNames.oneofType(oneof.name)
        writer.block("\(visibility) \(keyword) \(type): Swift.Sendable, Swift.Hashable") { writer in
            for field in members { writer.line("case \(field.property)(\(field.swiftType))") }
        }
        writer.line()
    }

    // MARK: Helpers

    func fields(_ message: Google_Protobuf_DescriptorProto, _ name: String) -> [FieldModel] {
        message.field.enumerated().map { FieldModel($1, slot: $0, in: name, file, index) }
    }

    /// The oneofs that were written, not those behind proto3 `optional` fields.
    func realOneofs(
        _ message: Google_Protobuf_DescriptorProto
    ) -> [(Int, Google_Protobuf_OneofDescriptorProto)] {
        message.oneofDecl.enumerated().filter { position, _ in
            !message.field.contains {
                $0.proto3Optional && $0.oneofIndex == Int32(clamping: position)
            }
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
    /// Whether the field has a property of its own behind the public one.
    var isStored: Bool {
        switch shape {
        case .optional, .required: true
        default: false
        }
    }
}
