import NetpollProtobuf

/// ProtoJSON.
struct JSONCodec: Codec {
    let ignoresUnknownFields: Bool

    private static let types = TypeRegistry([
        ProtobufTestMessages_Proto2_TestAllTypesProto2.self,
        ProtobufTestMessages_Proto3_TestAllTypesProto3.self,
    ])

    func decode<M: Message>(_ request: Conformance_ConformanceRequest) throws -> M {
        var options = JSONDecodingOptions()
        options.ignoreUnknownFields = ignoresUnknownFields
        options.typeRegistry = Self.types
        return try M(
            jsonString: request.jsonPayload,
            extensions: ProtobufTestMessages_Proto2_TestMessagesProto2_Extensions,
            options: options
        )
    }

    func encode(_ message: some Message) throws -> Conformance_ConformanceResponse.OneOf_Result {
        var options = JSONEncodingOptions()
        options.typeRegistry = Self.types
        return .jsonPayload(try message.jsonString(options: options))
    }
}
