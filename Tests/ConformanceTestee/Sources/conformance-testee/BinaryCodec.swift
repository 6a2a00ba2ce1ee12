import NetpollProtobuf

/// The wire format.
struct BinaryCodec: Codec {
    func decode<M: Message>(_ request: Conformance_ConformanceRequest) throws -> M {
        try M(
            serializedBytes: request.protobufPayload,
            extensions: ProtobufTestMessages_Proto2_TestMessagesProto2_Extensions
        )
    }

    func encode(_ message: some Message) throws -> Conformance_ConformanceResponse.OneOf_Result {
        .protobufPayload(try message.serializedBytes())
    }
}
