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
    private let read: (_ path: String) -> String?

    /// Creates a scaffold.
    ///
    /// - Parameters:
    ///   - request: What to make.
    ///   - compiled: The `.proto` files, imports among them.
    ///   - read: Returns the text of a file of the package, or `nil` if there is none.
    public init(
        _ request: Request,
        _ compiled: CompiledFiles,
        read: @escaping (_ path: String) -> String?
    ) {
        self.request = request
        self.compiled = compiled
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
        guard let first = services.first else {
            throw Failure(description: "no service is declared in the given files")
        }
        var files = try generated()
        for service in services { files.append(handler(service)) }
        files.append(GeneratedFile(path: "Package.swift", content: manifest))
        files.append(GeneratedFile(path: "README.md", content: readme(first)))
        files.append(
            GeneratedFile(
                path: "Sources/\(request.name)Server/\(request.name)Server.swift",
                content: server(services)
            )
        )
        files.append(
            GeneratedFile(
                path: "Sources/\(request.name)Client/\(request.name)Client.swift",
                content: client(first)
            )
        )
        return files.filter { file in
            let isReplaceable =
                file.path.hasPrefix(generatedFolder) || file.path.hasSuffix("Handler.swift")
            guard let old = read(file.path) else { return true }
            return isReplaceable && old != file.content
        }
    }

    private var generatedFolder: String { "Sources/\(request.name)/Generated/" }

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
        let methods: [Method]
    }

    struct Method {
        let name: String
        let input: String
        let output: String
    }

    private var services: [Service] {
        let index = TypeIndex(compiled.files)
        return compiled.files.filter { compiled.requested.contains($0.name) }.flatMap { file in
            file.service.map { service in
                Service(
                    swiftName: SwiftNames.typePrefix(file) + service.name,
                    name: service.name,
                    methods: service.method.map { method in
                        Method(
                            name: SwiftNames.method(method.name),
                            input: index.messages[method.inputType]?.swiftName ?? "Never",
                            output: index.messages[method.outputType]?.swiftName ?? "Never"
                        )
                    }
                )
            }
        }
    }

    private func handlerName(_ service: Service) -> String { "\(service.name)Handler" }

    /// A new handler with all methods, or the old one with those that it lacks behind its end.
    private func handler(_ service: Service) -> GeneratedFile {
        let path = "Sources/\(request.name)/\(handlerName(service)).swift"
        guard let old = read(path) else {
            var text = """
                import NetpollProtobuf
                import NetpollRPC

                /// Serves `\(service.name)`.
                public struct \(handlerName(service)): \(service.swiftName)Service {
                    /// Creates a handler.
                    public init() {}

                """
            text += service.methods.map { "\n" + stub($0) }.joined()
            return GeneratedFile(path: path, content: text + "}\n")
        }
        let missing = service.methods.filter { !old.contains("func \($0.name)(") }
        guard !missing.isEmpty else { return GeneratedFile(path: path, content: old) }
        let stubs = missing.map(stub).joined(separator: "\n")
        let added = "\nextension \(handlerName(service)) {\n\(stubs)}\n"
        return GeneratedFile(path: path, content: old + added)
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
                            .product(name: "NetpollRPC", package: "\(identity)"),
                        ]
                    ),
                ]
            )

            """
    }

    private func readme(_ service: Service) -> String {
        """
        # \(request.name)

        ```console
        $ swift run \(request.name)Server &
        $ swift run \(request.name)Client
        ```

        `Sources/\(request.name)` has the generated code and the handlers: write the methods of
        `\(handlerName(service))`. After a change of the `.proto` file run `rpc-gen scaffold` again: it
        renews the generated code and adds the methods that the handlers lack.

        """
    }

    private func server(_ services: [Service]) -> String {
        let handlers = services.map { "\(handlerName($0))()" }.joined(separator: ", ")
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

    private func client(_ service: Service) -> String {
        var call = ""
        if let method = service.methods.first {
            call = """
                        do {
                            let reply = try await service.\(method.name)(\(method.input)())
                            print(reply)
                        } catch let error as RPCError {
                            print(error)
                        }

                """
        }
        return """
            import \(request.name)
            import NetpollCore
            import NetpollRPC

            @main
            struct \(request.name)Client {
                static func main() async throws {
                    let address = try SocketAddress(
                        parsing: CommandLine.arguments.dropFirst().first ?? "tcp://127.0.0.1:8888"
                    )
                    let client = try RPCClient(to: address)
                    let service = \(service.swiftName)Client(client)
            \(call)        await client.close()
                }
            }

            """
    }
}
