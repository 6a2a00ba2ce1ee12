internal import NetpollProtobuf

/// Writes the extensions of a file (proto2): an object for each, a property for each on the message
/// that it extends, and a set of them all.
///
/// The names are those of SwiftProtobuf.
struct ExtensionEmitter {
    private struct Item {
        let model: FieldModel
        let path: [Int32]
        /// The full Swift name of the extension's object.
        let object: String
        /// The full name in the `.proto` file.
        let fullName: String
        let extended: String
        let property: String
        let capitalized: String
    }

    private let file: Google_Protobuf_FileDescriptorProto
    private let index: TypeIndex
    private let comments: Comments
    private let visibility: String
    private let topLevel: [Item]
    private let nested: [(scope: String, items: [Item])]

    init(
        index: TypeIndex,
        file: Google_Protobuf_FileDescriptorProto,
        comments: Comments,
        visibility: String
    ) {
        self.file = file
        self.index = index
        self.comments = comments
        self.visibility = visibility
        let prefix = SwiftNames.typePrefix(file)
        let package = file.package.isEmpty ? "" : file.package + "."
        topLevel = file.extension.enumerated().map { position, field in
            let model = FieldModel(field, slot: 0, in: "", file, index)
            let base = FieldModel.swiftBaseName(field, index)
            let names = SwiftNames.extensionProperty(base, prefix: prefix)
            return Item(
                model: model,
                path: [PathNumber.File.extensionField, Int32(clamping: position)],
                object: "\(prefix)Extensions_\(base)",
                fullName: package + field.name,
                extended: index.messages[field.extendee]?.swiftName ?? "Never",
                property: names.property,
                capitalized: names.capitalized
            )
        }
        var nested: [(scope: String, items: [Item])] = []
        for (position, message) in file.messageType.enumerated() {
            Self.collect(
                message,
                "\(file.package.isEmpty ? "" : "." + file.package).\(message.name)",
                [PathNumber.File.message, Int32(clamping: position)],
                file,
                index,
                &nested
            )
        }
        self.nested = nested
    }

    private static func collect(
        _ message: Google_Protobuf_DescriptorProto,
        _ name: String,
        _ path: [Int32],
        _ file: Google_Protobuf_FileDescriptorProto,
        _ index: TypeIndex,
        _ result: inout [(scope: String, items: [Item])]
    ) {
        let scope = index.messages[name]?.swiftName ?? message.name
        let items = message.extension.enumerated().map { position, field in
            let base = FieldModel.swiftBaseName(field, index)
            let prefix = scope.split(separator: ".").joined(separator: "_") + "_"
            let names = SwiftNames.extensionProperty(base, prefix: prefix)
            return Item(
                model: FieldModel(field, slot: 0, in: "", file, index),
                path: path + [PathNumber.Message.extensionField, Int32(clamping: position)],
                object: "\(scope).Extensions.\(SwiftNames.nestedExtension(base))",
                fullName: "\(name.dropFirst()).\(field.name)",
                extended: index.messages[field.extendee]?.swiftName ?? "Never",
                property: names.property,
                capitalized: names.capitalized
            )
        }
        if !items.isEmpty { result.append((scope, items)) }
        for (position, child) in message.nestedType.enumerated() {
            let childPath = path + [PathNumber.Message.nested, Int32(clamping: position)]
            collect(child, "\(name).\(child.name)", childPath, file, index, &result)
        }
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
        for (scope, items) in nested {
            writer.line()
            writer.block("extension \(scope)") { writer in
                writer.line("/// The extensions that are declared in the message.")
                writer.block("\(visibility) enum Extensions") { writer in
                    for item in items { emitObject(item, "static let", &writer) }
                }
            }
        }
        writer.line()
        writer.line("/// The extensions of the file.")
        let name =
            "\(SwiftNames.typePrefix(file))\(SwiftNames.fileIdentifier(file.name))_Extensions"
        let declaration = "\(visibility) let \(name): NetpollProtobuf.SimpleExtensionMap = ["
        writer.lines(declaration, "]") { writer in
            for item in all { writer.line(item.object + ",") }
        }
    }

    private func emitObject(_ item: Item, _ keyword: String, _ writer: inout SourceWriter) {
        let model = item.model
        writer.comment(comments[item.path])
        writer.deprecation(model.descriptor.options.deprecated, "extension")
        let type =
            "NetpollProtobuf.MessageExtension<\(model.extensionType), \(item.extended)>"
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
        writer.block("\(visibility) var \(item.property): \(model.extensionType)") { writer in
            writer.line("get { self.getExtensionValue(ext: \(item.object)) ?? \(missing) }")
            writer.line("set { self.setExtensionValue(ext: \(item.object), value: newValue) }")
        }
        guard !isRepeated else { return }
        let plain = item.property.filter { $0 != "`" }
        writer.line("/// Whether `\(plain)` has been set.")
        writer.block("\(visibility) var has\(item.capitalized): Bool") { writer in
            writer.line("self.hasExtensionValue(ext: \(item.object))")
        }
        writer.line("/// Takes the value of `\(plain)` away.")
        writer.block("\(visibility) mutating func clear\(item.capitalized)()") { writer in
            writer.line("self.clearExtensionValue(ext: \(item.object))")
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
