import NetpollProtobuf

/// A format that test messages are read from and written in.
protocol Codec {
    func decode<M: Message>(_ request: Conformance_ConformanceRequest) throws -> M
    func encode(_ message: some Message) throws -> Conformance_ConformanceResponse.OneOf_Result
}

/// Answers the requests of the conformance test runner.
enum Testee {
    static func respond(to bytes: [UInt8]) -> Conformance_ConformanceResponse {
        do {
            let request = try Conformance_ConformanceRequest(serializedBytes: bytes)
            return .with { $0.result = result(of: request) }
        } catch {
            return .with { $0.runtimeError = "\(error)" }
        }
    }

    private static func result(of request: Conformance_ConformanceRequest)
        -> Conformance_ConformanceResponse.OneOf_Result
    {
        switch request.messageType {
        case "conformance.FailureSet":
            convert(request, Conformance_FailureSet.self)
        case "protobuf_test_messages.proto2.TestAllTypesProto2":
            convert(request, ProtobufTestMessages_Proto2_TestAllTypesProto2.self)
        case "protobuf_test_messages.proto3.TestAllTypesProto3":
            convert(request, ProtobufTestMessages_Proto3_TestAllTypesProto3.self)
        default: .skipped("no type \(request.messageType)")
        }
    }

    private static func convert<M: Message>(_ request: Conformance_ConformanceRequest, _: M.Type)
        -> Conformance_ConformanceResponse.OneOf_Result
    {
        guard let input = inputCodec(request), let output = outputCodec(request) else {
            return .skipped("only the binary format and JSON are supported")
        }
        let message: M
        do {
            message = try input.decode(request)
        } catch {
            return .parseError("\(error)")
        }
        do {
            return try output.encode(message)
        } catch {
            return .serializeError("\(error)")
        }
    }

    private static func inputCodec(_ request: Conformance_ConformanceRequest) -> (any Codec)? {
        switch request.payload {
        case .protobufPayload?: BinaryCodec()
        case .jsonPayload?: jsonCodec(request)
        default: nil
        }
    }

    private static func outputCodec(_ request: Conformance_ConformanceRequest) -> (any Codec)? {
        switch request.requestedOutputFormat {
        case .protobuf: BinaryCodec()
        case .json: jsonCodec(request)
        default: nil
        }
    }

    private static func jsonCodec(_ request: Conformance_ConformanceRequest) -> JSONCodec {
        JSONCodec(ignoresUnknownFields: request.testCategory == .jsonIgnoreUnknownParsingTest)
    }
}
