internal import NetpollProtobuf

/// Writes the extensions of a file (proto2): an object for each, a property for each on the message
/// that it extends, and a set of them all.
///
/// The names are those of SwiftProtobuf.
struct ExtensionEmitter {
    private struct Item {
        /// The field as it is seen where it is declared, and on the extended message.
        let declaration: FieldModel
        let model: FieldModel
        let path: [Int32]
        /// The full Swift name of the extension's object, and what it is called on the extended
        /// message.
        let object: String
        let reference: String
        /// The full name in the `.proto` file.
        let fullName: String
        /// The Swift name of the extended message, and what it is called where the extension is
        /// declared.
        let extended: String
        let extendedReference: String
    }

    private let file: Google_Protobuf_FileDescriptorProto
    private let index: TypeIndex
    private let comments: Comments
    private let visibility: String
    private let names: FileNames
    private var topLevel: [Item] = []
    private var nested: [(type: String, items: [Item])] = []

    init(
        index: TypeIndex,
        file: Google_Protobuf_FileDescriptorProto,
        comments: Comments,
        visibility: String,
        names: FileNames
    ) {
        self.file = file
        self.index = index
        self.comments = comments
        self.visibility = visibility
        self.names = names
        let package = file.package.isEmpty ? "" : "." + file.package
        for (position, field) in file.extension.enumerated() {
            let item = item(
                field,
                [PathNumber.File.extensionField, Int32(clamping: position)],
                object: names.extensions[position],
                scope: ""
            )
            topLevel.append(item)
        }
        for (position, message) in file.messageType.enumerated() {
            let path = [PathNumber.File.message, Int32(clamping: position)]
            collect(message, "\(package).\(message.name)", path)
        }
    }

    private mutating func collect(
        _ message: Google_Protobuf_DescriptorProto,
        _ name: String,
        _ path: [Int32]
    ) {
        guard let type = index.messages[name]?.swiftName, let names = index.names[name] else {
            return
        }
        var items: [Item] = []
        for (position, field) in message.extension.enumerated() {
            let item = item(
                field,
                path + [PathNumber.Message.extensionField, Int32(clamping: position)],
                object: "\(type).Extensions.\(SwiftNames.quoted(names.extensions[position]))",
                scope: name
            )
            items.append(item)
        }
        if !items.isEmpty { nested.append((type, items)) }
        for (position, child) in message.nestedType.enumerated() {
            let childPath = path + [PathNumber.Message.nested, Int32(clamping: position)]
            collect(child, "\(name).\(child.name)", childPath)
        }
    }

    private func item(
        _ field: Google_Protobuf_FieldDescriptorProto,
        _ path: [Int32],
        object: String,
        scope: String
    ) -> Item {
        let parent = scope.isEmpty ? file.package : String(scope.dropFirst())
        let fullName = parent.isEmpty ? field.name : "\(parent).\(field.name)"
        let property = index.extensionProperties[fullName] ?? PropertyNames(field.name)
        let names = MessageNames.Field(property: property, storage: "")
        let extended = index.messages[field.extendee]?.swiftName ?? "Never"
        return Item(
            declaration: FieldModel(field, slot: 0, names, in: scope, file, index),
            model: FieldModel(field, slot: 0, names, in: field.extendee, file, index),
            path: path,
            object: object,
            reference: scope.isEmpty ? object : index.name(of: object, in: field.extendee),
            fullName: fullName,
            extended: extended,
            extendedReference: index.name(of: extended, in: scope)
        )
    }

    private var all: [Item] { topLevel + nested.flatMap(\.items) }

    // MARK: Writing

    func emit(to writer: inout SourceWriter) {
        guard !all.isEmpty else { return }
        emitProperties(&writer)
        for item in topLevel {
            writer.line()
            emitObject(item, "let", &writer)
        }
        for (type, items) in nested {
            writer.line()
            writer.block("extension \(type)") { writer in
                writer.line("/// The extensions that are declared in the message.")
                writer.block("\(visibility) enum Extensions") { writer in
                    for item in items { emitObject(item, "static let", &writer) }
                }
            }
        }
        writer.line()
        writer.line("/// The extensions of the file.")
        let declaration =
            "\(visibility) let \(names.extensionMap): NetpollProtobuf.SimpleExtensionMap = ["
        writer.lines(declaration, "]") { writer in
            for item in all { writer.line(item.object + ",") }
        }
    }

    private func emitObject(_ item: Item, _ keyword: String, _ writer: inout SourceWriter) {
        let model = item.declaration
        writer.comment(comments[item.path])
        writer.deprecation(model.descriptor.options.deprecated, "extension")
        let type =
            "NetpollProtobuf.MessageExtension<\(model.extensionType), \(item.extendedReference)>"
        let name = item.object.split(separator: ".").last ?? ""
        var arguments = ["\"\(item.fullName)\"", ".init(\(model.schema.joined(separator: ", ")))"]
        if file.syntax == "proto3" { arguments.append("repairsStrings: false") }
        writer.lines(
            "\(visibility) \(keyword) \(name) = \(type).\(model.extensionFactory)(",
            ")"
        ) { writer in
            for (position, argument) in arguments.enumerated() {
                writer.line(argument + (position + 1 < arguments.count ? "," : ""))
            }
        }
    }

    private func emitProperties(_ writer: inout SourceWriter) {
        var order: [String] = []
        var byType: [String: [Item]] = [:]
        for item in all {
            if byType[item.extended] == nil { order.append(item.extended) }
            byType[item.extended, default: []].append(item)
        }
        for extended in order {
            writer.line()
            writer.block("extension \(extended)") { writer in
                for (position, item) in (byType[extended] ?? []).enumerated() {
                    if position > 0 { writer.line() }
                    emitProperty(item, &writer)
                }
            }
        }
    }

    private func emitProperty(_ item: Item, _ writer: inout SourceWriter) {
        let model = item.model
        let isRepeated = model.descriptor.label == .repeated
        let missing = isRepeated ? "[]" : model.value.defaultValue
        writer.comment(comments[item.path])
        writer.deprecation(model.descriptor.options.deprecated, "extension")
        let names = model.names
        writer.block("\(visibility) var \(names.property): \(model.extensionType)") { writer in
            writer.line("get { self.getExtensionValue(ext: \(item.reference)) ?? \(missing) }")
            writer.line("set { self.setExtensionValue(ext: \(item.reference), value: newValue) }")
        }
        guard !isRepeated else { return }
        writer.line("/// Whether `\(names.plain)` has been set.")
        writer.block("\(visibility) var has\(names.capitalized): Bool") { writer in
            writer.line("self.hasExtensionValue(ext: \(item.reference))")
        }
        writer.line("/// Takes the value of `\(names.plain)` away.")
        writer.block("\(visibility) mutating func clear\(names.capitalized)()") { writer in
            writer.line("self.clearExtensionValue(ext: \(item.reference))")
        }
    }
}

extension FieldModel {
    /// The type of an extension's value.
    fileprivate var extensionType: String {
        descriptor.label == .repeated ? "[\(value.swiftType)]" : value.swiftType
    }

    /// What makes the extension's object.
    fileprivate var extensionFactory: String {
        switch (value.kind, descriptor.label == .repeated) {
        case (.number, false), (.plain, false): "optional"
        case (.number, true), (.plain, true): "repeated"
        case (.message, false): "message"
        case (.message, true): "messages"
        case (.group, false): "group"
        case (.group, true): "groups"
        }
    }
}

extension PathNumber.File {
    fileprivate static let extensionField: Int32 = 7
}

extension PathNumber.Message {
    fileprivate static let extensionField: Int32 = 6
}
