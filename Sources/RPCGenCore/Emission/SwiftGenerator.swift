public import NetpollProtobuf

/// One generated file.
public struct GeneratedFile: Sendable, Hashable {
    /// The path below the output directory.
    public let path: String
    /// The Swift source.
    public let content: String
}

/// How Swift is written.
public struct GeneratorOptions: Sendable {
    /// Who may see the generated types.
    public enum Visibility: String, Sendable, CaseIterable {
        case `public`, package, `internal`
    }

    /// Who may see the generated types.
    ///
    /// Default: internal.
    public var visibility = Visibility.internal

    /// How the path of a `.proto` file becomes that of a Swift file.
    public enum FileNaming: String, Sendable, CaseIterable {
        /// `dir/name.proto` becomes `dir/name.pb.swift`.
        case fullPath = "full-path"
        /// `dir/name.proto` becomes `dir_name.pb.swift`: a Swift module cannot have two files of the
        /// same name, whatever their folders.
        case pathToUnderscores = "path-to-underscores"
        /// `dir/name.proto` becomes `name.pb.swift`.
        case dropPath = "drop-path"
    }

    /// How the path of a `.proto` file becomes that of a Swift file.
    ///
    /// Default: the folders stay.
    public var fileNaming = FileNaming.fullPath

    /// Whether the Swift files become part of the runtime itself, which cannot import itself.
    ///
    /// Default: false.
    public var isPartOfRuntime = false

    /// Creates the defaults.
    public init() {}
}

/// Writes Swift for compiled `.proto` files.
///
/// The same input always gives the same text.
public struct SwiftGenerator {
    private let files: [Google_Protobuf_FileDescriptorProto]
    private let index: TypeIndex
    private let options: GeneratorOptions

    /// Creates a generator.
    ///
    /// - Parameters:
    ///   - files: All files of a compilation, imports among them.
    ///   - options: How Swift is written.
    public init(
        _ files: [Google_Protobuf_FileDescriptorProto],
        options: GeneratorOptions = GeneratorOptions()
    ) {
        self.files = files
        self.options = options
        index = TypeIndex(files)
    }

    /// Writes the Swift for one file: messages, enums and services together.
    ///
    /// - Parameter name: The file's name, as it was compiled.
    /// - Returns: The generated file, or why it cannot be generated.
    public func generate(_ name: String) -> Result<GeneratedFile, CompilationFailure> {
        guard let file = files.first(where: { $0.name == name }) else {
            return .failure(failure(name, .start, "the file was not compiled"))
        }
        let errors = unsupported(file)
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
        var modules: [String] = []
        if !options.isPartOfRuntime, !file.messageType.isEmpty || !file.enumType.isEmpty {
            modules.append("NetpollProtobuf")
        }
        if !file.service.isEmpty { modules.append("NetpollRPC") }
        return modules
    }

    private func source(_ file: Google_Protobuf_FileDescriptorProto) -> String {
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
        let services = ServiceEmitter(
            index: index,
            file: file,
            comments: comments,
            visibility: visibility
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
        for (position, service) in file.service.enumerated() {
            writer.line()
            services.emit(
                service,
                [PathNumber.File.service, Int32(clamping: position)],
                to: &writer
            )
        }
        for message in file.messageType { messages.emitConformance(message, scope, to: &writer) }
        return writer.text
    }
}
