internal import NetpollProtobuf

/// The files of a new package that serves a `.proto` file and calls it.
///
/// Pure: it is told what exists and says what to write. A file that exists is never replaced, but
/// for generated ones; a handler that exists gets the methods that it lacks.
public struct Scaffold {
    /// What to make a package of.
    public struct Request: Sendable {
        /// The package's name, which begins the names of its targets; an identifier.
        public var name: String
        /// How the new `Package.swift` names its dependency, for instance `.package(path: "..")`.
        public var dependency: String
        /// The identity of that dependency: the last part of its path or URL.
        public var dependencyIdentity: String

        /// Creates a request.
        public init(name: String, dependency: String, dependencyIdentity: String) {
            self.name = name
            self.dependency = dependency
            self.dependencyIdentity = dependencyIdentity
        }
    }

    /// Why no package can be made.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        /// The words for people.
        public let description: String
    }

    private let request: Request
    private let compiled: CompiledFiles
    private let sources: [String]
    private let read: (_ path: String) -> String?

    /// Creates a scaffold.
    ///
    /// - Parameters:
    ///   - request: What to make.
    ///   - compiled: The `.proto` files, imports among them.
    ///   - sources: The paths of the Swift files that the target of the handlers has already.
    ///   - read: Returns the text of a file of the package, or `nil` if there is none.
    public init(
        _ request: Request,
        _ compiled: CompiledFiles,
        sources: [String],
        read: @escaping (_ path: String) -> String?
    ) {
        self.request = request
        self.compiled = compiled
        self.sources = sources
        self.read = read
    }

    /// The files to write, with paths below the package's folder.
    ///
    /// - Returns: New and changed files only.
    /// - Throws: ``Failure`` when the name is not an identifier or no requested file has a service;
    ///   ``CompilationFailure`` when Swift cannot be generated.
    public func files() throws -> [GeneratedFile] {
        guard SwiftNames.isIdentifier(request.name) else {
            throw Failure(description: "\"\(request.name)\" cannot name a package and its modules")
        }
        let services = self.services
        guard !services.isEmpty else {
            throw Failure(description: "no service is declared in the given files")
        }
        var files = try generated()
        files += handlers(services)
        files.append(GeneratedFile(path: "Package.swift", content: manifest))
        files.append(GeneratedFile(path: "README.md", content: readme(services)))
        files.append(
            GeneratedFile(
                path: "Sources/\(request.name)Server/\(request.name)Server.swift",
                content: server(services)
            )
        )
        files.append(
            GeneratedFile(
                path: "Sources/\(request.name)Client/\(request.name)Client.swift",
                content: client(services)
            )
        )
        return files.filter { file in
            let isReplaceable =
                file.path.hasPrefix(generatedFolder) || file.path.hasPrefix(handlerFolder)
            guard let old = read(file.path) else { return true }
            return isReplaceable && old != file.content
        }
    }

    private var handlerFolder: String { "Sources/\(request.name)/" }
    private var generatedFolder: String { handlerFolder + "Generated/" }

    private func generated() throws -> [GeneratedFile] {
        var options = GeneratorOptions()
        options.visibility = .public
        options.fileNaming = .pathToUnderscores
        let generator = SwiftGenerator(compiled.files, options: options)
        return try compiled.files.filter { !$0.name.hasPrefix("google/protobuf/") }.map { file in
            let generated = try generator.generate(file.name).get()
            return GeneratedFile(
                path: generatedFolder + generated.path,
                content: generated.content
            )
        }
    }
}

// MARK: - Services

extension Scaffold {
    struct Service {
        let swiftName: String
        let name: String
        /// The type that serves it.
        let handlerName: String
        let methods: [Method]
    }

    struct Method {
        let name: String
        let input: String
        let output: String
    }

    private var services: [Service] {
        let index = TypeIndex(compiled.files)
        var handlerNames: Set<String> = []
        return compiled.files.filter { compiled.requested.contains($0.name) }.flatMap { file in
            zip(file.service, FileNames(file, index).services).map { service, swiftName in
                // Packages may have services of one name.
                let isFirst = handlerNames.insert(service.name).inserted
                return Service(
                    swiftName: swiftName,
                    name: service.name,
                    handlerName: "\(isFirst ? service.name : swiftName)Handler",
                    methods: zip(service.method, SwiftNames.methods(service)).map { method, name in
                        Method(
                            name: SwiftNames.quoted(name),
                            input: index.messages[method.inputType]?.swiftName ?? "Never",
                            output: index.messages[method.outputType]?.swiftName ?? "Never"
                        )
                    }
                )
            }
        }
    }

    /// New handlers with all methods, and the files of old ones with those that they lack behind
    /// their end.
    private func handlers(_ services: [Service]) -> [GeneratedFile] {
        let written = sources.filter { !$0.hasPrefix(generatedFolder) }.compactMap { path in
            read(path).map { (path: path, text: SwiftText($0)) }
        }
        var paths: [String] = []
        var texts: [String: String] = [:]
        for service in services {
            let name = service.handlerName
            let declaration = written.first { $0.text.declaresType(name) }
            let path = declaration?.path ?? "\(handlerFolder)\(name).swift"
            if texts[path] == nil { paths.append(path) }
            guard declaration != nil, let old = texts[path] ?? read(path) else {
                texts[path] = newHandler(service)
                continue
            }
            let missing = service.methods.filter { method in
                !written.contains { $0.text.hasMethod(method.name, of: name) }
            }
            let stubs = missing.map(stub).joined(separator: "\n")
            texts[path] = missing.isEmpty ? old : "\(old)\nextension \(name) {\n\(stubs)}\n"
        }
        return paths.compactMap { path in
            texts[path].map { GeneratedFile(path: path, content: $0) }
        }
    }

    private func newHandler(_ service: Service) -> String {
        var text = """
            import NetpollProtobuf
            import NetpollRPC

            /// Serves `\(service.name)`.
            public struct \(service.handlerName): \(service.swiftName)Service {
                /// Creates a handler.
                public init() {}

            """
        text += service.methods.map { "\n" + stub($0) }.joined()
        return text + "}\n"
    }

    private func stub(_ method: Method) -> String {
        """
            public func \(method.name)(
                _ request: \(method.input),
                context: RPCContext
            ) async throws -> \(method.output) {
                throw RPCError(.unimplemented, "\(method.name) has not been written")
            }

        """
    }
}

// MARK: - Programs

extension Scaffold {
    private var manifest: String {
        let name = request.name
        let identity = request.dependencyIdentity
        return """
            // swift-tools-version: 6.2
            import PackageDescription

            // Handlers stay on the loop that read their request, and calls on their caller's executor.
            let settings: [SwiftSetting] = [
                .enableUpcomingFeature("NonisolatedNonsendingByDefault")
            ]

            let package = Package(
                name: "\(name)",
                platforms: [.macOS("26.0")],
                dependencies: [\(request.dependency)],
                targets: [
                    .target(
                        name: "\(name)",
                        dependencies: [
                            .product(name: "NetpollProtobuf", package: "\(identity)"),
                            .product(name: "NetpollRPC", package: "\(identity)"),
                        ],
                        swiftSettings: settings
                    ),
                    .executableTarget(
                        name: "\(name)Server",
                        dependencies: [
                            "\(name)",
                            .product(name: "NetpollCore", package: "\(identity)"),
                            .product(name: "NetpollRPC", package: "\(identity)"),
                        ]
                    ),
                    .executableTarget(
                        name: "\(name)Client",
                        dependencies: [
                            "\(name)",
                            .product(name: "NetpollCore", package: "\(identity)"),
                            .product(name: "NetpollProtobuf", package: "\(identity)"),
                            .product(name: "NetpollRPC", package: "\(identity)"),
                        ]
                    ),
                ]
            )

            """
    }

    private func readme(_ services: [Service]) -> String {
        let handlers = services.map { "`\($0.handlerName)`" }.joined(separator: ", ")
        return """
            # \(request.name)

            ```console
            $ swift run \(request.name)Server &
            $ swift run \(request.name)Client
            ```

            `Sources/\(request.name)` has the generated code and the handlers: write the methods of
            \(handlers). After a change of the `.proto` file run `rpc-gen scaffold` again: it
            renews the generated code and adds the methods that the handlers lack.

            """
    }

    private func server(_ services: [Service]) -> String {
        let handlers = services.map { "\($0.handlerName)()" }.joined(separator: ", ")
        return """
            import \(request.name)
            import NetpollCore
            import NetpollRPC

            @main
            struct \(request.name)Server {
                static func main() async throws {
                    let address = try SocketAddress(
                        parsing: CommandLine.arguments.dropFirst().first ?? "tcp://127.0.0.1:8888"
                    )
                    let server = RPCServer(services: [\(handlers)])
                    print("\(request.name)Server listens on \\(address)")
                    try await server.run(on: address)
                }
            }

            """
    }

    private func client(_ services: [Service]) -> String {
        let callable = services.first { !$0.methods.isEmpty }
        let call = callable.flatMap { service in
            service.methods.first.map { method in
                """
                        let service = \(service.swiftName)Client(client)
                        do {
                            let reply = try await service.\(method.name)(\(method.input)())
                            print(reply)
                        } catch let error as RPCError {
                            print(error)
                        }

                """
            }
        }
        return """
            import \(request.name)
            import NetpollCore
            import NetpollProtobuf
            import NetpollRPC

            @main
            struct \(request.name)Client {
                static func main() async throws {
                    let address = try SocketAddress(
                        parsing: CommandLine.arguments.dropFirst().first ?? "tcp://127.0.0.1:8888"
                    )
                    let client = try RPCClient(to: address)
            \(call ?? "")        await client.close()
                }
            }

            """
    }
}
