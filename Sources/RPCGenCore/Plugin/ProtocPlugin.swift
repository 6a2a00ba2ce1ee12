public import NetpollProtobuf

/// The generator as a plugin of `protoc`: a `CodeGeneratorRequest` in, a `CodeGeneratorResponse`
/// out (google/protobuf/compiler/plugin.proto).
public enum ProtocPlugin {
    /// Answers a request.
    ///
    /// What is wrong with the parameter or the files is told in the response, as the protocol wants.
    public static func run(
        _ request: Google_Protobuf_Compiler_CodeGeneratorRequest
    ) -> Google_Protobuf_Compiler_CodeGeneratorResponse {
        var response = Google_Protobuf_Compiler_CodeGeneratorResponse()
        // FEATURE_PROTO3_OPTIONAL.
        response.supportedFeatures = 1
        let options: GeneratorOptions
        do throws(GeneratorOptions.ParameterError) {
            options = try GeneratorOptions(parameter: request.parameter)
        } catch {
            response.error = error.description
            return response
        }
        let generator = SwiftGenerator(request.protoFile, options: options)
        var errors: [String] = []
        for name in request.fileToGenerate {
            switch generator.generate(name) {
            case .success(let file):
                response.file.append(
                    .with {
                        $0.name = file.path
                        $0.content = file.content
                    }
                )
            case .failure(let failure): errors += failure.errors.map(\.description)
            }
        }
        if !errors.isEmpty {
            response.file = []
            response.error = errors.joined(separator: "\n")
        }
        return response
    }
}
