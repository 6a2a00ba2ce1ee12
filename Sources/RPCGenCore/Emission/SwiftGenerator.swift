public import NetpollProtobuf

/// One generated file.
public struct GeneratedFile: Sendable, Hashable {
    /// The path below the output directory.
    public let path: String
    /// The Swift source.
    public let content: String
}

/// Writes Swift for compiled `.proto` files.
///
/// The same input always gives the same text.
public struct SwiftGenerator {
    private let files: [Google_Protobuf_FileDescriptorProto]
    private let descriptors: EmbeddedDescriptors
    let index: TypeIndex
    private let options: GeneratorOptions

    /// The file that declares each top-level type, by the type's absolute name.
    private let declaringFiles: [String: String]

    /// Creates a generator.
    ///
    /// - Parameters:
    ///   - files: All files of a compilation, imports among them.
    ///   - options: How Swift is written. A prefix for Swift names holds for all files but those of
    ///     `google/protobuf` and those that another module has.
    public init(
        _ files: [Google_Protobuf_FileDescriptorProto],
        options: GeneratorOptions = GeneratorOptions()
    ) {
        self.options = options
        descriptors = EmbeddedDescriptors(files)
        self.files = files.map { file in
            guard let prefix = options.swiftPrefix, !Self.isElsewhere(file.name, options) else {
                return file
            }
            var file = file
            file.options.swiftPrefix = prefix
            return file
        }
        index = TypeIndex(self.files)
        var declaringFiles: [String: String] = [:]
        for file in files {
            let scope = file.package.isEmpty ? "" : "." + file.package
            for name in file.messageType.map(\.name) + file.enumType.map(\.name) {
                declaringFiles["\(scope).\(name)"] = file.name
            }
        }
        self.declaringFiles = declaringFiles
    }

    private static func isElsewhere(_ file: String, _ options: GeneratorOptions) -> Bool {
        file.hasPrefix("google/protobuf/") || options.moduleMappings.contains { $0.holds(file) }
    }

    /// Writes the Swift for one file: messages, enums and services together.
    ///
    /// - Parameter name: The file's name, as it was compiled.
    /// - Returns: The generated file, or why it cannot be generated.
    public func generate(_ name: String) -> Result<GeneratedFile, CompilationFailure> {
        guard let file = files.first(where: { $0.name == name }) else {
            return .failure(failure(name, .start, "the file was not compiled"))
        }
        let errors = missingTypes(file) + unsupported(file)
        guard errors.isEmpty else { return .failure(CompilationFailure(errors: errors)) }
        return .success(GeneratedFile(path: path(name), content: source(file)))
    }

    private func path(_ name: String) -> String {
        let stem = name.hasSuffix(".proto") ? String(name.dropLast(".proto".count)) : name
        let parts = stem.split(separator: "/")
        switch options.fileNaming {
        case .fullPath: return stem + ".pb.swift"
        case .pathToUnderscores: return parts.joined(separator: "_") + ".pb.swift"
        case .dropPath: return (parts.last.map(String.init) ?? stem) + ".pb.swift"
        }
    }

    private func failure(_ path: String, _ location: SourceLocation, _ message: String)
        -> CompilationFailure
    {
        CompilationFailure(errors: [Diagnostic(path: path, location: location, message: message)])
    }

    /// Streaming methods exist in `.proto` files but not on this wire.
    private func unsupported(_ file: Google_Protobuf_FileDescriptorProto) -> [Diagnostic] {
        guard !options.contents.isDisjoint(with: .services) else { return [] }
        var errors: [Diagnostic] = []
        for (position, service) in file.service.enumerated() {
            for (number, method) in service.method.enumerated()
            where method.clientStreaming || method.serverStreaming {
                let path = [
                    PathNumber.File.service, Int32(clamping: position), PathNumber.Service.method,
                    Int32(clamping: number), PathNumber.Method.name,
                ]
                errors.append(
                    Diagnostic(
                        path: file.name,
                        location: location(path, in: file),
                        message:
                            "streaming method \"\(service.name).\(method.name)\" is not supported; "
                            + "only unary methods can be generated"
                    )
                )
            }
        }
        return errors
    }

    private func location(_ path: [Int32], in file: Google_Protobuf_FileDescriptorProto)
        -> SourceLocation
    {
        guard let found = file.sourceCodeInfo.location.first(where: { $0.path == path }),
            found.span.count >= 3
        else { return .start }
        return SourceLocation(line: Int(found.span[0]) + 1, column: Int(found.span[1]) + 1)
    }

    /// The modules whose types the file's own declarations show: importing more than those with a
    /// level of access is a warning.
    private func importedModules(_ file: Google_Protobuf_FileDescriptorProto) -> [String] {
        let hasServices =
            !file.service.isEmpty && !options.contents.isDisjoint(with: .services)
        let hasMessages =
            options.contents.contains(.messages)
            && !(file.messageType.isEmpty && file.enumType.isEmpty && file.extension.isEmpty)
        var shown: Set<String> = []
        if hasServices {
            for method in file.service.flatMap(\.method) {
                shown.formUnion([method.inputType, method.outputType])
            }
        }
        if hasMessages {
            for field in file.extension { shown.formUnion([field.typeName, field.extendee]) }
            for message in file.messageType { Self.collectTypes(message, &shown) }
        }
        var modules: Set<String> = []
        if !options.isPartOfRuntime, hasMessages || shown.contains(where: isInRuntime) {
            modules.insert("NetpollProtobuf")
        }
        if hasServices { modules.insert("NetpollRPC") }
        for type in shown {
            guard let declaring = declaringFile(of: type) else { continue }
            // A file's own messages may be elsewhere when only its services are written here.
            if declaring == file.name, options.contents.contains(.messages) { continue }
            if let mapping = options.moduleMappings.first(where: { $0.holds(declaring) }) {
                modules.insert(mapping.module)
            }
        }
        return modules.sorted()
    }

    private static func collectTypes(
        _ message: Google_Protobuf_DescriptorProto,
        _ types: inout Set<String>
    ) {
        for field in message.field + message.extension where field.hasTypeName {
            types.formUnion([field.typeName, field.extendee])
        }
        for nested in message.nestedType { collectTypes(nested, &types) }
    }

    /// The file of a type, which may be nested in another.
    private func declaringFile(of type: String) -> String? {
        var name = type[...]
        while true {
            if let file = declaringFiles[String(name)] { return file }
            guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return nil }
            name = name[..<dot]
        }
    }

    /// Whether a type is one of those that the runtime brings along.
    private func isInRuntime(_ typeName: String) -> Bool {
        typeName.hasPrefix(".google.protobuf.")
    }

    private func source(_ file: Google_Protobuf_FileDescriptorProto) -> String {
        let names = FileNames(file, index)
        var index = index
        index.enter(file, names)
        let comments = Comments(file)
        let visibility = options.visibility.rawValue
        let scope = file.package.isEmpty ? "" : "." + file.package
        let messages = MessageEmitter(
            index: index,
            file: file,
            comments: comments,
            visibility: visibility
        )
        let enums = EnumEmitter(file: file, comments: comments, visibility: visibility)
        let embeddingService =
            options.embedsDescriptors && options.contents.contains(.server)
            ? names.services.first : nil
        let services = ServiceEmitter(
            index: index,
            file: file,
            comments: comments,
            visibility: visibility,
            contents: options.contents,
            descriptors: embeddingService.map(EmbeddedDescriptors.constant)
        )
        var writer = SourceWriter()
        writer.line("// Generated by rpc-gen from \(file.name). Do not edit.")
        writer.line("// swift-format-ignore-file")
        let imports = importedModules(file)
        if !imports.isEmpty { writer.line() }
        // Written without a level where that is right: with one, plain imports in other files of the
        // same module would be ambiguous.
        let importKeyword = options.visibility == .internal ? "import" : "\(visibility) import"
        for module in imports { writer.line("\(importKeyword) \(module)") }
        if options.contents.contains(.messages) {
            emitTypes(file, scope, messages, enums, &writer)
        }
        for (position, service) in file.service.enumerated() {
            services.emit(
                service,
                names.services[position],
                [PathNumber.File.service, Int32(clamping: position)],
                to: &writer
            )
        }
        if options.contents.contains(.messages) {
            for message in file.messageType {
                messages.emitConformance(message, scope, to: &writer)
            }
            ExtensionEmitter(
                index: index,
                file: file,
                comments: comments,
                visibility: visibility,
                names: names
            ).emit(to: &writer)
            names.hiddenTypes.emit(visibility, to: &writer)
        }
        if let embeddingService { descriptors.emit(file, embeddingService, to: &writer) }
        return writer.text
    }

    private func emitTypes(
        _ file: Google_Protobuf_FileDescriptorProto,
        _ scope: String,
        _ messages: MessageEmitter,
        _ enums: EnumEmitter,
        _ writer: inout SourceWriter
    ) {
        for (position, item) in file.enumType.enumerated() {
            writer.line()
            enums.emit(
                item,
                index.enums["\(scope).\(item.name)"],
                [PathNumber.File.enumType, Int32(clamping: position)],
                to: &writer
            )
        }
        for (position, message) in file.messageType.enumerated() {
            writer.line()
            messages.emitType(
                message,
                scope,
                [PathNumber.File.message, Int32(clamping: position)],
                to: &writer
            )
        }
    }
}
