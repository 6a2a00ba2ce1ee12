internal import NetpollProtobuf

/// Writes the protocol, the registration and the client of one service.
struct ServiceEmitter {
    let index: TypeIndex
    let file: Google_Protobuf_FileDescriptorProto
    let comments: Comments
    let visibility: String
    let contents: GeneratorOptions.Contents
    /// The name of the constant with the file's descriptors, if there is one.
    let descriptors: String?

    func emit(
        _ service: Google_Protobuf_ServiceDescriptorProto,
        _ name: String,
        _ path: [Int32],
        to writer: inout SourceWriter
    ) {
        let methods = SwiftNames.methods(service)
        if contents.contains(.server) {
            writer.line()
            emitProtocol(service, name, methods, path, &writer)
            writer.line()
            emitRegistration(service, name, methods, &writer)
        }
        if contents.contains(.client) {
            writer.line()
            emitClient(service, name, methods, path, &writer)
        }
    }

    private func emitProtocol(
        _ service: Google_Protobuf_ServiceDescriptorProto,
        _ name: String,
        _ methods: [String],
        _ path: [Int32],
        _ writer: inout SourceWriter
    ) {
        writer.comment(comments[path])
        writer.block("\(visibility) protocol \(name)Service: NetpollRPC.RPCService") { writer in
            for (position, method) in service.method.enumerated() {
                writer.comment(
                    comments[path + [PathNumber.Service.method, Int32(clamping: position)]]
                )
                writer.deprecation(method.options.deprecated, "method")
                writer.signature(
                    "nonisolated(nonsending) func \(SwiftNames.quoted(methods[position]))",
                    ["_ request: \(type(method.inputType))", "context: NetpollRPC.RPCContext"],
                    "async throws",
                    "-> \(type(method.outputType))"
                )
            }
        }
    }

    private func emitRegistration(
        _ service: Google_Protobuf_ServiceDescriptorProto,
        _ name: String,
        _ methods: [String],
        _ writer: inout SourceWriter
    ) {
        writer.block("extension \(name)Service") { writer in
            writer.block("\(visibility) static var serviceDescriptor: NetpollRPC.ServiceDescriptor")
            { writer in
                writer.call(
                    "NetpollRPC.ServiceDescriptor",
                    ["package: \"\(file.package)\"", "name: \"\(service.name)\""]
                )
            }
            if let descriptors {
                writer.line()
                writer.block(
                    "\(visibility) static var fileDescriptors: NetpollRPC.FileDescriptors?"
                ) { writer in
                    writer.line("NetpollRPC.FileDescriptors(base64: \(descriptors))")
                }
            }
            writer.line()
            writer.block(
                "\(visibility) func registerMethods(with registrar: inout NetpollRPC.MethodRegistrar)"
            ) { writer in
                for (method, name) in zip(service.method, methods) {
                    let call = "self.\(SwiftNames.quoted(name))"
                    writer.lines(
                        "registrar.register(\"\(method.name)\") { "
                            + "(request: \(type(method.inputType)), context) "
                            + "-> \(type(method.outputType)) in",
                        "}"
                    ) { writer in
                        writer.line("try await \(call)(request, context: context)")
                    }
                }
            }
        }
    }

    private func emitClient(
        _ service: Google_Protobuf_ServiceDescriptorProto,
        _ name: String,
        _ methods: [String],
        _ path: [Int32],
        _ writer: inout SourceWriter
    ) {
        writer.line("/// Calls the methods of `\(service.name)`.")
        writer.block("\(visibility) struct \(name)Client: Swift.Sendable") { writer in
            writer.line("private let client: NetpollRPC.RPCClient")
            writer.line()
            writer.line("/// Creates a client that sends its calls through another.")
            writer.line(
                "\(visibility) init(_ client: NetpollRPC.RPCClient) { self.client = client }"
            )
            for (position, method) in service.method.enumerated() {
                let name = methods[position]
                writer.line()
                writer.comment(
                    comments[path + [PathNumber.Service.method, Int32(clamping: position)]]
                )
                writer.deprecation(method.options.deprecated, "method")
                writer.lines(
                    "\(visibility) nonisolated(nonsending) func \(SwiftNames.quoted(name))(",
                    ") async throws -> \(type(method.outputType)) {"
                ) { writer in
                    writer.line("_ request: \(type(method.inputType)),")
                    writer.line("timeout: Swift.Duration? = nil,")
                    writer.line("options: NetpollRPC.CallOptions = NetpollRPC.CallOptions()")
                }
                writer.indented { writer in
                    writer.call(
                        "try await client.call",
                        ["Self.\(name)Method", "request", "timeout: timeout", "options: options"]
                    )
                }
                writer.line("}")
            }
            for (method, name) in zip(service.method, methods) {
                writer.line()
                writer.call(
                    "private static let \(name)Method = NetpollRPC.MethodDescriptor",
                    [
                        "service: \"\(service.name)\"", "package: \"\(file.package)\"",
                        "name: \"\(method.name)\"",
                    ]
                )
            }
        }
    }

    private func type(_ name: String) -> String { index.messages[name]?.swiftName ?? "Never" }
}
