/// How Swift is written.
public struct GeneratorOptions: Sendable {
    /// Who may see the generated types.
    public enum Visibility: String, Sendable, CaseIterable {
        /// Everybody.
        case `public`
        /// All targets of the package.
        case package
        /// The target alone.
        case `internal`
    }

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

    /// What a file's Swift holds.
    public struct Contents: OptionSet, Sendable, Hashable {
        /// The bits.
        public let rawValue: Int

        /// Creates a set of bits.
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// Messages, enums and extensions.
        public static let messages = Contents(rawValue: 1)
        /// The protocol of each service, which a server implements.
        public static let server = Contents(rawValue: 2)
        /// The client of each service.
        public static let client = Contents(rawValue: 4)
        /// Both sides of each service.
        public static let services: Contents = [.server, .client]
        /// Everything.
        public static let all: Contents = [.messages, .server, .client]
    }

    /// The module that holds the types of some `.proto` files.
    public struct ModuleMapping: Sendable, Hashable {
        /// The Swift module.
        public let module: String
        /// A file's name as imports write it, or a folder of files with a slash at its end.
        public let path: String

        /// Creates a mapping.
        public init(module: String, path: String) {
            self.module = module
            self.path = path
        }

        /// Reads `MODULE=PATH`; `nil` if it has no such form.
        public init?(_ text: String) {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[1].isEmpty, SwiftNames.isIdentifier(parts[0]) else {
                return nil
            }
            self.init(module: String(parts[0]), path: String(parts[1]))
        }

        func holds(_ file: String) -> Bool {
            path.hasSuffix("/") ? file.hasPrefix(path) : file == path
        }
    }

    /// Who may see the generated types.
    ///
    /// Default: internal.
    public var visibility = Visibility.internal

    /// How the path of a `.proto` file becomes that of a Swift file.
    ///
    /// Default: the folders stay.
    public var fileNaming = FileNaming.fullPath

    /// What a file's Swift holds.
    ///
    /// Default: everything.
    public var contents = Contents.all

    /// What stands before the names of top-level types, instead of the package or the file's own
    /// `swift_prefix`; `nil` leaves that alone.
    public var swiftPrefix: String?

    /// The modules of `.proto` files whose Swift is elsewhere; the first that fits counts.
    public var moduleMappings: [ModuleMapping] = []

    /// Whether the protocol of a service carries the descriptors of its file, for reflection.
    ///
    /// Default: true.
    public var embedsDescriptors = true

    /// Whether the Swift files become part of the runtime itself, which cannot import itself.
    ///
    /// Default: false.
    public var isPartOfRuntime = false

    /// Creates the defaults.
    public init() {}
}

extension GeneratorOptions {
    /// Why a parameter is not an option.
    public struct ParameterError: Error, Sendable, Hashable, CustomStringConvertible {
        /// The words for people.
        public let description: String
    }

    /// Reads the parameter that `protoc` hands to a plugin: the options of the command line without
    /// their dashes, separated by commas, as in `visibility=public,client,module-map=Shared=common/`.
    ///
    /// - Parameter parameter: The text behind `--netpoll-swift_opt=`.
    /// - Throws: ``ParameterError`` for an option or a value that does not exist.
    public init(parameter: String) throws(ParameterError) {
        self.init()
        var selected: Contents = []
        for item in parameter.split(separator: ",") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? String(parts[1]) : nil
            switch (String(parts[0]), value) {
            case ("visibility", let value?):
                visibility = try Self.choice(value, "visibility")
            case ("file-naming", let value?):
                fileNaming = try Self.choice(value, "file-naming")
            case ("swift-prefix", let value?):
                guard Self.isPrefix(value) else {
                    throw ParameterError(description: "\"\(value)\" cannot begin a Swift name")
                }
                swiftPrefix = value
            case ("module-map", let value?):
                guard let mapping = ModuleMapping(value) else {
                    throw ParameterError(
                        description: "module-map wants MODULE=PATH, not \"\(value)\""
                    )
                }
                moduleMappings.append(mapping)
            case ("messages", nil): selected.insert(.messages)
            case ("services", nil): selected.formUnion(.services)
            case ("server", nil): selected.insert(.server)
            case ("client", nil): selected.insert(.client)
            case ("no-descriptors", nil): embedsDescriptors = false
            default:
                throw ParameterError(description: "\"\(item)\" is not an option")
            }
        }
        if !selected.isEmpty { contents = selected }
    }

    /// Whether a Swift name can begin so; the empty prefix is one.
    public static func isPrefix(_ text: String) -> Bool {
        text.isEmpty || SwiftNames.isIdentifier(text)
    }

    private static func choice<T: RawRepresentable<String> & CaseIterable>(
        _ value: String,
        _ name: String
    ) throws(ParameterError) -> T {
        if let choice = T(rawValue: value) { return choice }
        let choices = T.allCases.map(\.rawValue).joined(separator: ", ")
        throw ParameterError(description: "\(name) is one of \(choices), not \"\(value)\"")
    }
}
